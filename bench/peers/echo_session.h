// EchoSession: the bytes of one connection to the benchmark's gateway: HTTP answers of a fixed
// text, then, once upgraded, an echo of WebSocket frames.
//
// Made to cost next to nothing beside the proxy in front of it: no allocation per request, no
// header is looked at but those that an upgrade needs. Not a model of a correct server. Limits:
// heads and unread frames up to kInputBytesMax, then the session is over.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kg::bench {

inline constexpr size_t kInputBytesMax = size_t{16} * 1024 * 1024 + 1024;  // one message of 16 MiB

class EchoSession {
 public:
  // Takes what is complete in `input` from the front and appends the answers to `output`.
  // Returns how many bytes it took; over() turns true after a Close or nonsense.
  size_t take(char* input, size_t size, std::string& output);
  bool over() const noexcept { return over_; }

 private:
  size_t take_request(std::string_view input, std::string& output);
  size_t take_frame(char* input, size_t size, std::string& output);

  bool upgraded_ = false;
  bool over_ = false;
};

}  // namespace kg::bench
