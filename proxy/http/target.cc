#include "proxy/http/target.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "proxy/base/ascii.h"

namespace kg::http {
namespace {

constexpr uint64_t kPortMax = 65'535;

Error refuse(const char* detail) { return {ErrorCode::kBadRequest, detail}; }

bool is_hex(char c) noexcept {
  const char low = ascii::to_lower(c);
  return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f');
}

// Unreserved characters and sub-delims (RFC 3986 section 3.2.2), without percent triplets.
bool is_name_char(char c) noexcept {
  const char low = ascii::to_lower(c);
  if ((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos;
}

bool is_reg_name(std::string_view text) noexcept {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_name_char(text[i])) {
      return false;
    }
  }
  return !text.empty();
}

bool is_ipv6(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  in6_addr address;
  return inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

void split_path(std::string_view path_and_query, RequestHead& head) noexcept {
  const size_t mark = path_and_query.find('?');
  head.path = path_and_query.substr(0, mark);
  if (head.path.empty()) head.path = "/";
  head.has_query = mark != std::string_view::npos;
  if (head.has_query) head.query = path_and_query.substr(mark + 1);
}

}  // namespace

bool is_authority(std::string_view text) noexcept {
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) return false;
    port = text.substr(close + 1);
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    if (!is_reg_name(text.substr(0, colon))) return false;
    port = text.substr(colon);
  }
  if (port.empty() || port == ":") return true;  // port = *DIGIT (RFC 3986 section 3.2.3)
  return port.front() == ':' &&
         ascii::parse_decimal(port.substr(1)).value_or(kPortMax + 1) <= kPortMax;
}

Result<void> split_target(RequestHead& head) {
  const std::string_view target = head.target;
  if (head.method == Method::kConnect) {
    const bool ok = is_authority(target) && target.find(':') != std::string_view::npos;
    if (!ok) return refuse("malformed target of CONNECT");
    head.authority = target;
    return {};
  }
  if (target.front() == '/') {
    split_path(target, head);
    return {};
  }
  if (target == "*") {
    if (head.method != Method::kOptions) return refuse("asterisk target without OPTIONS");
    return {};
  }
  size_t scheme = 0;
  if (ascii::starts_with_ignore_case(target, "http://")) scheme = 7;
  if (ascii::starts_with_ignore_case(target, "https://")) scheme = 8;
  if (scheme == 0) return refuse("malformed request target");
  const std::string_view rest = target.substr(scheme);
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (!is_authority(rest.substr(0, end))) return refuse("malformed authority in the target");
  head.authority = rest.substr(0, end);
  split_path(rest.substr(end), head);
  return {};
}

}  // namespace kg::http
