// Single values of forwarded heads: trace ids, addresses, dates.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"
#include "proxy/http/field_name.h"
#include "proxy/http/forwarding.h"

namespace kg::http {
namespace {

bool is_hex(std::string_view text, size_t size) noexcept {
  return text.size() == size && std::all_of(text.begin(), text.end(), [](char c) {
           const char low = ascii::to_lower(c);
           return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f');
         });
}

// Fields "name=value" between semicolons, one of them a Root of 1-<8 hex>-<24 hex> (domain A16).
bool is_trace_id(std::string_view text) noexcept {
  constexpr size_t kTraceIdBytesMax = 512;  // an ALB's own is 100; clients may add fields
  if (text.size() > kTraceIdBytesMax) return false;
  size_t roots = 0;
  for (size_t semicolon = 0; semicolon != std::string_view::npos;) {
    semicolon = text.find(';');
    const std::string_view field = ascii::trim(text.substr(0, semicolon));
    const size_t equals = field.find('=');
    if (equals == std::string_view::npos || !is_token(field.substr(0, equals))) return false;
    const std::string_view value = field.substr(equals + 1);
    const bool plain = std::all_of(value.begin(), value.end(),
                                   [](char c) { return c > ' ' && c < 0x7f && c != ','; });
    if (value.empty() || !plain) return false;
    if (field.substr(0, equals) == "Root") {
      const bool root = value.size() == 35 && value.substr(0, 2) == "1-" &&
                        is_hex(value.substr(2, 8), 8) && value[10] == '-' &&
                        is_hex(value.substr(11), 24);
      if (!root) return false;
      ++roots;
    }
    if (semicolon != std::string_view::npos) text.remove_prefix(semicolon + 1);
  }
  return roots == 1;
}

bool is_address(std::string_view text, int family) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  in6_addr address;  // large enough for both families
  return inet_pton(family, terminated.data(), &address) == 1;
}

// The address of an X-Forwarded-For element, whose port an ALB may append (domain A15):
// "1.2.3.4:5",
// "[::1]:5". "" if there is none.
std::string_view address_of(std::string_view element) noexcept {
  if (is_address(element, AF_INET6)) return element;
  std::string_view address = element;
  std::string_view port;
  if (!element.empty() && element.front() == '[') {
    const size_t close = element.find(']');
    if (close == std::string_view::npos) return {};
    address = element.substr(1, close - 1);
    port = element.substr(close + 1);
    if (!is_address(address, AF_INET6)) return {};
  } else {
    const size_t colon = std::min(element.find(':'), element.size());
    address = element.substr(0, colon);
    port = element.substr(colon);
    if (!is_address(address, AF_INET)) return {};
  }
  if (port.empty()) return address;
  return port.front() == ':' && ascii::parse_decimal(port.substr(1)) ? address : std::string_view();
}

}  // namespace

std::string http_date(uint64_t seconds) {
  const auto now = static_cast<time_t>(seconds);
  tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 40> text{};
  const size_t size = strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

std::string trace_id_for(const RequestHead& head, uint64_t now_seconds) {
  size_t count = 0;
  std::string_view received;
  for (const Header& header : head.headers) {
    if (field_name(header.name) != FieldName::kXAmznTraceId) continue;
    received = header.value;
    ++count;
  }
  if (count == 1 && is_trace_id(received)) return std::string(received);
  return fmt::format("Root=1-{:08x}-{}", now_seconds & 0xffff'ffffU, crypto::unique_hex(12));
}

std::string_view forwarded_client(const RequestHead& head) noexcept {
  std::string_view chain;  // of the last field: proxies append at the end
  for (const Header& header : head.headers) {
    if (field_name(header.name) == FieldName::kXForwardedFor) chain = header.value;
  }
  const size_t comma = chain.rfind(',');
  if (comma != std::string_view::npos) chain.remove_prefix(comma + 1);
  return address_of(ascii::trim(chain));
}

}  // namespace kg::http
