#include "routing/controller/ingress/fetch_rules.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace kg::ingress {
namespace {

constexpr const char* kPrivate = "names an address of the proxy's own machine or link";

bool is_forbidden(const in_addr& address) noexcept {
  const uint32_t bits = ntohl(address.s_addr);
  const uint32_t first = bits >> 24;
  return first == 0 || first == 127 || (bits >> 16) == 0xA9FE || first >= 224;
}

bool is_forbidden(const in6_addr& address) noexcept {
  if (IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_UNSPECIFIED(&address) ||
      IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_MULTICAST(&address))
    return true;
  // An IPv4 address stands in the last four bytes of mapped, compatible and NAT64 ones.
  constexpr std::array<uint8_t, 12> kNat64{0, 0x64, 0xff, 0x9b};  // RFC 6052 section 2.1
  const bool nat64 = std::equal(kNat64.begin(), kNat64.end(), &address.s6_addr[0]);
  if (!nat64 && !IN6_IS_ADDR_V4MAPPED(&address) && !IN6_IS_ADDR_V4COMPAT(&address)) return false;
  in_addr inner{};
  std::copy_n(&address.s6_addr[12], sizeof inner, reinterpret_cast<uint8_t*>(&inner));
  return is_forbidden(inner);
}

// What resolvers take for a number: 2130706433, 0x7f.1 and 127.1 are all 127.0.0.1.
bool ends_in_number(std::string_view host) noexcept {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return !last.empty() &&
         (last.starts_with("0x") || last.find_first_not_of("0123456789") == std::string_view::npos);
}

bool is_own_name(std::string_view host) noexcept {
  for (const std::string_view name :
       {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"}) {
    if (host == name) return true;
  }
  return host.ends_with(".localhost");
}

}  // namespace

bool is_own_address(const std::string& address) noexcept {
  in_addr four{};
  if (inet_pton(AF_INET, address.c_str(), &four) == 1) return is_forbidden(four);
  in6_addr six{};
  return inet_pton(AF_INET6, address.c_str(), &six) == 1 && is_forbidden(six);
}

std::string fetch_fault(const Url& url) {
  std::string host = url.host;
  if (host.starts_with('[')) {
    in6_addr address{};
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return "has no valid address";
    return is_forbidden(address) ? kPrivate : "";
  }
  while (host.ends_with('.')) host.pop_back();
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) return is_forbidden(address) ? kPrivate : "";
  if (host.empty() || ends_in_number(host)) return "has no valid host";
  return is_own_name(host) ? kPrivate : "";
}

}  // namespace kg::ingress
