// Url: the address of a service that the configuration names, read without any leniency.
//
// Only absolute http and https URLs, at most kUrlBytesMax, of printable ASCII: no user, no
// fragment, nothing that two readers could split in two ways. The text that goes on is regenerated
// from the parts. Immutable; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kg {

struct Url {
  bool secure = true;  // https
  std::string host;    // lower case; IPv6 in its brackets
  uint16_t port = 443;
  std::string target;  // path and query, from the first '/'

  std::string origin() const;  // "https://host:443"
  std::string text() const { return origin() + target; }
  bool operator==(const Url&) const = default;
};

struct ParsedUrl {
  std::optional<Url> url;
  const char* fault = "";  // "names a user": the end of a sentence about the text
};
ParsedUrl parse_url(std::string_view text);

}  // namespace kg
