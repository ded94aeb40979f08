// A web origin as browsers write it (RFC 6454 section 6.1), of https only: the configuration lists
// some, requests name one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kg {

inline constexpr uint16_t kHttpsPort = 443;

struct OriginParts {
  std::string_view host;  // lower case; an IPv6 address with its brackets
  uint16_t port = kHttpsPort;
};

// "https://host[:port]" and nothing else: lower case, at most 253 bytes of host, no default port,
// no zero before a port, no path. One origin has one spelling, so that texts can be compared.
std::optional<OriginParts> split_origin(std::string_view text) noexcept;

}  // namespace kg
