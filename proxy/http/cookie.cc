#include "proxy/http/cookie.h"

#include <algorithm>

#include "proxy/base/ascii.h"
#include "proxy/http/field_name.h"

namespace kg::http {
namespace {

constexpr bool is_cookie_octet(char c) noexcept {
  return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

std::string_view without_quotes(std::string_view value) noexcept {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

Result<std::string_view> cookie(const RequestHead& head, std::string_view name) {
  std::string_view found;
  bool seen = false;
  for (const Header& field : head.headers) {
    if (field_name(field.name) != FieldName::kCookie) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view pair = ascii::trim(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
      if (seen) return Error{ErrorCode::kBadRequest, "the session cookie twice", 0};
      seen = true;
      found = without_quotes(pair.substr(equals + 1));
    }
  }
  if (!std::all_of(found.begin(), found.end(), is_cookie_octet)) {
    return Error{ErrorCode::kBadRequest, "a session cookie that is no cookie value", 0};
  }
  return found;
}

bool is_cookie_name(std::string_view name) noexcept { return is_token(name); }

}  // namespace kg::http
