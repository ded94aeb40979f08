// Which private keys of tenants proxies may sign with: each handshake costs a worker a signature,
// and a worker serves everybody.
//
// Pure; any thread.
#pragma once

#include <string>

#include "proxy/base/secret.h"

namespace kg::tls {

// Such a signature takes 5 ms, and the time grows with the third power of the length.
inline constexpr int kSigningRsaBitsMax = 4'096;

// "" if it may be used, or cannot be read, which others say.
std::string signing_fault(const Secret& key);

}  // namespace kg::tls
