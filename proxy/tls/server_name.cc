#include "proxy/tls/server_name.h"

#include <cstddef>
#include <cstdint>

namespace kg::tls {
namespace {

constexpr size_t kNameBytesMax = 255;  // of a DNS name, and OpenSSL's own bound

// Two bytes, big-endian, at the beginning of `text`, which loses them.
size_t take_length(std::string_view& text) noexcept {
  const auto high = static_cast<uint8_t>(text[0]);
  const auto low = static_cast<uint8_t>(text[1]);
  text.remove_prefix(2);
  return (size_t{high} << 8) | low;
}

}  // namespace

std::string_view server_name_of(std::string_view extension) noexcept {
  constexpr size_t kHeadBytes = 5;  // list's length, type, name's length
  if (extension.size() < kHeadBytes) return {};
  if (take_length(extension) != extension.size()) return {};
  constexpr char kHostName = 0;
  if (extension.front() != kHostName) return {};
  extension.remove_prefix(1);
  if (take_length(extension) != extension.size() || extension.size() > kNameBytesMax) return {};
  if (extension.find('\0') != std::string_view::npos) return {};
  return extension;
}

}  // namespace kg::tls
