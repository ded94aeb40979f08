#include "proxy/fetch/own_network.h"

#include "proxy/base/assert.h"

namespace kg::fetch {
namespace {

event::AddressRanges own_ranges() {
  event::AddressRanges ranges;
  for (const char* range :
       {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",  //
        "::/96",  // unspecified, loopback, IPv4-compatible
        "fe80::/10", "ff00::/8",
        "fd00:ec2::/32",  // metadata and pod identity of AWS
        // The same of IPv4 behind NAT64 (RFC 6052 section 2.1).
        "64:ff9b::/104", "64:ff9b::7f00:0/104", "64:ff9b::a9fe:0/112", "64:ff9b::e000:0/99"}) {
    KG_ASSERT(ranges.add(range));
  }
  return ranges;
}

}  // namespace

bool is_of_own_network(const event::SocketAddress& address) {
  static const event::AddressRanges ranges = own_ranges();
  return ranges.contains(address);
}

}  // namespace kg::fetch
