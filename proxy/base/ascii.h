// ASCII helpers without locale or allocation, and the small text codecs the proxy needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kg::ascii {

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
bool equals_ignore_case(std::string_view a, std::string_view b) noexcept;
bool starts_with_ignore_case(std::string_view text, std::string_view prefix) noexcept;
std::string lower(std::string_view text);
// Strips SP and HTAB at both ends (OWS, RFC 9110 section 5.6.3).
std::string_view trim(std::string_view text) noexcept;

// Decimal digits only, no sign, no space, no overflow.
std::optional<uint64_t> parse_decimal(std::string_view text) noexcept;

// Calls visit(element) for each comma-separated element, trimmed, empty ones skipped
// (RFC 9110 section 5.6.1).
template <class Visit>
void for_each_element(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view element = trim(list.substr(0, comma));
    if (!element.empty()) visit(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

// application/x-www-form-urlencoded decoding of one name or value: '+' is a space. nullopt on a
// broken percent triplet.
std::optional<std::string> form_decode(std::string_view text);
// Percent-decoding (RFC 3986 section 2.1): '+' is itself. nullopt on a broken triplet.
std::optional<std::string> percent_decode(std::string_view text);
// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
void percent_encode(std::string_view text, std::string& out);

// base64url (RFC 4648 section 5). Decoding refuses padding, whitespace and non-zero trailing bits.
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);
// base64 with padding (RFC 4648 section 4): Sec-WebSocket-Accept.
std::string base64_encode(std::string_view bytes);

// Appends `text` as a JSON string with quotes. Invalid UTF-8 becomes U+FFFD.
void json_quote(std::string_view text, std::string& out);

}  // namespace kg::ascii
