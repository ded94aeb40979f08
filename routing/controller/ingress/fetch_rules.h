// What proxies may connect to: neither an annotation nor a slice must make them ask what only they
// can reach (domain A29). Names that resolve to such addresses are refused when they are fetched.
//
// Pure; any thread.
#pragma once

#include <string>

#include "proxy/base/url.h"

namespace kg::ingress {

// "" if the host may be asked, else the end of a sentence about the URL: loopback, link-local,
// unspecified and multicast addresses in any writing, IPv4 in IPv6 too; names of this machine.
std::string fetch_fault(const Url& url);
// Whether a numeric address is such a one, IPv6 without brackets.
bool is_own_address(const std::string& address) noexcept;

}  // namespace kg::ingress
