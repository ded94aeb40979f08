// Addresses that only this machine or its link can reach: loopback, link-local (the metadata
// services of clouds among them), unspecified and multicast ones, IPv4 in IPv6 too.
//
// What a stranger names must not be asked there (domain A29). It is judged when a connection is
// made: a name may resolve to anything, and to something else a moment later. Pure; any thread.
#pragma once

#include "proxy/event/address.h"

namespace kg::fetch {

bool is_of_own_network(const event::SocketAddress& address);

}  // namespace kg::fetch
