// Is this text printable UTF-8 (RFC 3629) without control characters? Tabs are allowed everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kg::config {

enum class LineBreaks : uint8_t { kAllow, kRefuse };

// Offset of the first byte that is neither.
std::optional<size_t> find_unprintable(std::string_view text, LineBreaks line_breaks) noexcept;

inline bool is_printable_utf8(std::string_view text, LineBreaks line_breaks) noexcept {
  return !find_unprintable(text, line_breaks).has_value();
}

}  // namespace kg::config
