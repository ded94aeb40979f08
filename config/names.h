// Parsers of addresses, host names, path prefixes and identifiers.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "config/parsed.h"

namespace kg::config {

Parsed<Address> parse_address(std::string_view text, const KeyInfo& info);      // port 0 allowed
Parsed<Address> parse_pod_address(std::string_view text, const KeyInfo& info);  // port 0 refused
// CIDR or one address, which gets its full prefix length. Bits below the prefix must be zero.
Parsed<Range> parse_range(std::string_view text, const KeyInfo& info);
Parsed<std::string> parse_host(std::string_view text, const KeyInfo& info);
// A host, or "*." before one (domain K1).
Parsed<std::string> parse_route_host(std::string_view text, const KeyInfo& info);
// A web origin as browsers write it: https://host[:port].
Parsed<std::string> parse_origin(std::string_view text, const KeyInfo& info);
Parsed<std::string> parse_cookie_name(std::string_view text, const KeyInfo& info);
// The path of a request of our own, as it goes out.
Parsed<std::string> parse_request_path(std::string_view text, const KeyInfo& info);
Parsed<std::string> parse_path_prefix(std::string_view text, const KeyInfo& info);
Parsed<std::string> parse_endpoint_id(std::string_view text, const KeyInfo& info);  // domain E3
Parsed<std::string> parse_dns_label(std::string_view text, const KeyInfo& info);
Parsed<std::string> parse_dns_name(std::string_view text, const KeyInfo& info);
Parsed<std::string> parse_role_arn(std::string_view text, const KeyInfo& info);

// "10.0.0.1:8443", "[::1]:8443"
std::string address_text(const Address& address);

}  // namespace kg::config
