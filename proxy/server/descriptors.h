// The process's descriptors: how many there may be, and where new clients stop.
//
// A connection's descriptor is the lowest free number, so its value says how many are in use at
// least, for nothing. Above the mark new clients are closed at once: what is left is for
// connections to gateways of clients that are in, scrapes and files.
#pragma once

#include <cstdint>

namespace kg::server {

struct DescriptorBounds {
  uint64_t most = 0;  // RLIMIT_NOFILE
  int mark = 0;       // a client's descriptor stays below
};

// Raises the soft limit towards the hard one as far as that many connections need.
DescriptorBounds raise_descriptor_limit(uint32_t connections) noexcept;

}  // namespace kg::server
