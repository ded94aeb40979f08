#include "proxy/exchange/identity_fields.h"

#include <string>
#include <string_view>

namespace kg::exchange {
namespace {

void append_encoded(std::string_view text, bool in_list, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // A space is printable, but nobody may count on one at an end of a field.
    if (byte > 0x20 && byte < 0x7f && c != '%' && !(in_list && c == ',')) {
      out += c;
    } else {
      out.append({'%', kDigits[byte >> 4], kDigits[byte & 0xf]});
    }
  }
}

std::string encoded(std::string_view text) {
  std::string out;
  append_encoded(text, false, out);
  return out;
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += ',';
    append_encoded(text, true, out);
  }
  return out;
}

}  // namespace

std::vector<http::IdentityField> identity_fields(const routing::IdentityHeaders& headers,
                                                 const auth::Principal& principal) {
  std::vector<http::IdentityField> out;
  if (!headers.subject.empty()) out.push_back({headers.subject, encoded(principal.subject)});
  if (!headers.realm.empty()) out.push_back({headers.realm, encoded(principal.realm)});
  if (!headers.groups.empty()) out.push_back({headers.groups, list_of(principal.groups)});
  if (!headers.role.empty()) out.push_back({headers.role, encoded(principal.role)});
  return out;
}

}  // namespace kg::exchange
