#include "config/utf8.h"

namespace kg::config {
namespace {

// Length of the character at the start of `text`, 0 if it is malformed, overlong, a surrogate or a
// C1 control.
size_t multibyte_length(std::string_view text) noexcept {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t first = byte(0);
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  uint32_t code = first & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = (code << 6) | (byte(i) & 0x3F);
  }
  const uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0xA0;
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < least || code > 0x10FFFF || is_surrogate ? 0 : length;
}

}  // namespace

std::optional<size_t> find_unprintable(std::string_view text, LineBreaks line_breaks) noexcept {
  size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<uint8_t>(text[at]);
    size_t length = 1;
    if (byte >= 0x80) {
      length = multibyte_length(text.substr(at));
      if (length == 0) return at;
    } else if (byte == '\n' || byte == '\r') {
      if (line_breaks == LineBreaks::kRefuse) return at;
    } else if ((byte < 0x20 && byte != '\t') || byte == 0x7F) {
      return at;
    }
    at += length;
  }
  return std::nullopt;
}

}  // namespace kg::config
