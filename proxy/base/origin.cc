#include "proxy/base/origin.h"

#include <algorithm>

#include "proxy/base/ascii.h"

namespace kg {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr size_t kHostBytesMax = 253;  // RFC 1035 section 2.3.4

bool is_lower_hex(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Names and IPv4 addresses. Browsers write others in their ASCII form ("xn--"); some names in use
// hold '_'.
bool is_lower_name(std::string_view host) noexcept {
  return host.front() != '.' && host.back() != '.' && host.find("..") == std::string_view::npos &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

bool is_bracketed(std::string_view host) noexcept {
  return host.size() > 2 && host.front() == '[' && host.back() == ']' &&
         std::all_of(host.begin() + 1, host.end() - 1,
                     [](char c) { return is_lower_hex(c) || c == ':'; });
}

}  // namespace

std::optional<OriginParts> split_origin(std::string_view text) noexcept {
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  const size_t bracket = text.rfind(']');
  const size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  OriginParts parts;
  parts.host = text.substr(0, colon);
  if (parts.host.empty() || parts.host.size() > kHostBytesMax) return std::nullopt;
  if (!is_lower_name(parts.host) && !is_bracketed(parts.host)) return std::nullopt;
  if (colon == std::string_view::npos) return parts;
  const std::string_view digits = text.substr(colon + 1);
  const auto port = ascii::parse_decimal(digits);
  if (!port || digits.front() == '0' || *port > UINT16_MAX || *port == kHttpsPort) {
    return std::nullopt;
  }
  parts.port = static_cast<uint16_t>(*port);
  return parts;
}

}  // namespace kg
