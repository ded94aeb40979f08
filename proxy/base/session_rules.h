// SessionRules: what an endpoint's `sessions` in the configuration says about open WebSockets.
#pragma once

#include <cstdint>

#include "proxy/base/limits.h"

namespace kg {

struct SessionRules {
  bool close_on_expiry = true;  // on_expiry: close, not keep
  uint64_t expiry_grace_ms = limits::kExpiryGraceMs;
  uint64_t max_lifetime_ms = 0;  // of a WebSocket; 0: no bound

  bool operator==(const SessionRules&) const = default;
};

}  // namespace kg
