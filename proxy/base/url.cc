#include "proxy/base/url.h"

#include <algorithm>
#include <limits>

#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"

namespace kg {
namespace {

constexpr std::string_view kSecure = "https://";
constexpr std::string_view kPlain = "http://";

bool is_alphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 3986 appendix A: unreserved, reserved and '%', without '#' and brackets.
bool is_target_byte(char c) noexcept {
  return is_alphanumeric(c) ||
         std::string_view("-._~!$&'()*+,;=:@/?%").find(c) != std::string_view::npos;
}

bool is_name(std::string_view host) noexcept {
  return !host.empty() && host.size() <= 253 && host.front() != '.' && host.front() != '-' &&
         host.find("..") == std::string_view::npos && std::ranges::all_of(host, [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
         });
}

bool is_ipv6(std::string_view host) noexcept {
  return host.size() >= 4 && host.size() <= 41 && host.front() == '[' && host.back() == ']' &&
         std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
           const char lower = ascii::to_lower(c);
           return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f') || c == ':' || c == '.';
         });
}

// Takes the port off the end of `authority`. False if what stands behind the colon is none.
bool take_port(std::string_view& authority, uint16_t& port) {
  const size_t from = authority.starts_with('[') ? authority.find(']') : 0;
  const size_t colon = authority.find(':', from == std::string_view::npos ? 0 : from);
  if (colon == std::string_view::npos) return true;
  const std::optional<uint64_t> number = ascii::parse_decimal(authority.substr(colon + 1));
  authority = authority.substr(0, colon);
  if (!number || *number == 0 || *number > std::numeric_limits<uint16_t>::max()) return false;
  port = static_cast<uint16_t>(*number);
  return true;
}

}  // namespace

std::string Url::origin() const {
  return std::string(secure ? kSecure : kPlain) + host + ":" + std::to_string(port);
}

ParsedUrl parse_url(std::string_view text) {
  if (text.size() > limits::kUrlBytesMax) return {{}, "is longer than 2048 bytes"};
  Url url;
  url.secure = text.starts_with(kSecure);
  if (!url.secure && !text.starts_with(kPlain)) return {{}, "does not begin with https://"};
  if (!url.secure) url.port = 80;
  text.remove_prefix(url.secure ? kSecure.size() : kPlain.size());
  const size_t end = text.find_first_of("/?#");
  std::string_view authority = text.substr(0, end);
  const std::string_view rest = end == std::string_view::npos ? "" : text.substr(end);
  if (authority.find('@') != std::string_view::npos) return {{}, "names a user"};
  if (rest.find('#') != std::string_view::npos) return {{}, "has a fragment (#)"};
  if (!take_port(authority, url.port))
    return {{}, "has no port between 1 and 65535 after its colon"};
  if (!is_name(authority) && !is_ipv6(authority)) return {{}, "names no host"};
  if (!std::ranges::all_of(rest, is_target_byte)) {
    return {{}, "holds a byte that must be percent-encoded"};
  }
  url.host = ascii::lower(authority);
  url.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  return {std::move(url), ""};
}

}  // namespace kg
