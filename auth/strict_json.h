// JsonObject: one JSON object from a place that is not trusted, read without any leniency.
//
// Refused: members that occur twice (two readers might each trust another one, RFC 8725 section
// 2.4), nesting above kJsonDepthMax, broken UTF-8, NUL bytes, a byte order mark, anything after the
// object.
// Immutable; any thread. Keeps nlohmann/json out of every other file of this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kg::auth {

inline constexpr int kJsonDepthMax = 8;  // a claims set needs 2, a JWK Set 4

class JsonObject {
 public:
  struct Parsed;
  static Parsed parse(std::string_view text);

  bool has(const char* name) const;
  size_t size() const;  // members
  // nullopt: absent or of another type. has() tells which.
  std::optional<std::string> text(const char* name) const;
  std::optional<bool> flag(const char* name) const;
  std::optional<std::vector<std::string>> texts(const char* name) const;  // an array of strings
  // A text, whole number or truth value as text, or each of an array of those. Empty for anything
  // else: what cannot be compared proves nothing.
  std::vector<std::string> values(const char* name) const;
  std::vector<std::string> names() const;  // of its members
  // NumericDate (RFC 7519 section 2) in whole seconds, years 1970 to 9999. 1700000000.0 is one too.
  std::optional<int64_t> seconds(const char* name) const;
  std::optional<JsonObject> object(const char* name) const;
  std::optional<std::vector<JsonObject>> objects(const char* name) const;  // an array of objects

 private:
  struct Node;
  explicit JsonObject(std::shared_ptr<const Node> node);
  std::shared_ptr<const Node> node_;
};

struct JsonObject::Parsed {
  std::optional<JsonObject> object;
  const char* fault = "";  // "is not JSON", ...
};

}  // namespace kg::auth
