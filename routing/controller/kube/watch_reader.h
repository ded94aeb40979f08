// WatchReader: the bytes of a watch's answer to events, one JSON object in a line each (meta/v1
// WatchEvent).
//
// Owner: a Reflector, one per watch. Limits: a line has at most kObjectBytesMax.
// Errors: after the first fault nothing more is read; what follows it is lost, and so is the line
// that held it.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace kg::kube {

struct WatchEvent {
  enum class Type : uint8_t { kUpsert, kRemove, kBookmark, kError };
  Type type = Type::kError;
  nlohmann::json object;  // of a bookmark no more than a version; of an error a Status
};

class WatchReader {
 public:
  // Returns false to hear no more.
  using Visit = std::function<bool(WatchEvent)>;

  // False after a fault or when `visit` returned false.
  bool feed(std::string_view bytes, const Visit& visit);
  const char* fault() const noexcept { return fault_; }  // "" if there was none
  // Whether the answer may end here: no line is begun.
  bool at_boundary() const noexcept { return line_.empty(); }

 private:
  bool read_line(std::string_view line, const Visit& visit);
  bool fail(const char* fault);

  std::string line_;  // begun
  bool ended_ = false;
  const char* fault_ = "";
};

}  // namespace kg::kube
