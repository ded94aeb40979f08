#include "proxy/base/ascii.h"

#include <algorithm>
#include <array>
#include <limits>

namespace kg::ascii {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t kInvalid = 0xff;

constexpr uint8_t byte(char c) noexcept { return static_cast<uint8_t>(c); }

constexpr std::array<uint8_t, 256> make_base64url_values() {
  std::array<uint8_t, 256> values{};
  values.fill(kInvalid);
  uint8_t value = 0;
  for (const char c : kBase64Url) values[byte(c)] = value++;
  return values;
}
constexpr std::array<uint8_t, 256> kBase64UrlValues = make_base64url_values();

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = to_lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

constexpr bool is_unreserved(char c) noexcept {
  const char low = to_lower(c);
  return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

std::string encode(std::string_view bytes, std::string_view alphabet, bool padded) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = (bits << 8U) | byte(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      out.push_back(alphabet[(bits >> count) & 0x3fU]);
    }
  }
  if (count > 0) out.push_back(alphabet[(bits << (6 - count)) & 0x3fU]);
  while (padded && out.size() % 4 != 0) out.push_back('=');
  return out;
}

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629 section 4), or 0.
size_t utf8_length(std::string_view text) noexcept {
  const uint8_t lead = byte(text[0]);
  if (lead < 0x80) return 1;
  size_t length = 0;
  uint8_t low = 0x80;  // bounds of the second byte: no overlong forms, no surrogates, <= U+10FFFF
  uint8_t high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (text.size() < length || byte(text[1]) < low || byte(text[1]) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(text[i]) & 0xc0U) != 0x80U) return 0;
  }
  return length;
}

void append_escaped(char c, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (byte(c) < 0x20 || c == 0x7f) {
    out += "\\u00";
    out.push_back(kHex[byte(c) >> 4U]);
    out.push_back(kHex[byte(c) & 0x0fU]);
  } else {
    out.push_back(c);
  }
}

}  // namespace

bool equals_ignore_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && starts_with_ignore_case(a, b);
}

bool starts_with_ignore_case(std::string_view text, std::string_view prefix) noexcept {
  if (text.size() < prefix.size()) return false;
  // Most are equal as they are: names and schemes have their usual case.
  return std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char a, char b) { return a == b || to_lower(a) == to_lower(b); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<uint64_t> parse_decimal(std::string_view text) noexcept {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

namespace {

std::optional<std::string> decode_triplets(std::string_view text, char plus) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(plus);
    } else if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> form_decode(std::string_view text) { return decode_triplets(text, ' '); }

std::optional<std::string> percent_decode(std::string_view text) {
  return decode_triplets(text, '+');
}

void percent_encode(std::string_view text, std::string& out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";  // upper case: RFC 3986 section 2.1
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte(c) >> 4U]);
      out.push_back(kHex[byte(c) & 0x0fU]);
    }
  }
}

std::string base64url_encode(std::string_view bytes) { return encode(bytes, kBase64Url, false); }

std::string base64_encode(std::string_view bytes) { return encode(bytes, kBase64, true); }

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const uint8_t value = kBase64UrlValues[byte(c)];
    if (value == kInvalid) return std::nullopt;
    bits = (bits << 6U) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>((bits >> count) & 0xffU));
    }
  }
  if ((bits & ((1U << count) - 1U)) != 0) return std::nullopt;
  return out;
}

void json_quote(std::string_view text, std::string& out) {
  out.push_back('"');
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";
      text.remove_prefix(1);
    } else if (length == 1) {
      append_escaped(text[0], out);
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  out.push_back('"');
}

}  // namespace kg::ascii
