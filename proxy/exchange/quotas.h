// Quotas: what one principal may hold and do at one endpoint, over all workers of this process.
// Other replicas count for themselves; only kernels are counted where they are, at the gateway.
//
// Owner:  Admission. Thread: any; no lock. Touched when a WebSocket or a kernel start begins and
//         ends, and for each request only where the endpoint has a rate.
// Limits: HeldCounts' and RateGate's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "auth/principal.h"
#include "proxy/base/settings.h"
#include "proxy/exchange/held_counts.h"
#include "proxy/exchange/rate_gate.h"

namespace kg::exchange {

class Quotas {
 public:
  using Hold = HeldCounts::Hold;
  // One principal at one endpoint. The same in all workers; not secret, but of no use elsewhere.
  using Key = uint64_t;
  Key key_of(std::string_view endpoint_id, const auth::Principal& principal) const noexcept {
    return mix_.of({endpoint_id, principal.realm, principal.subject});
  }

  // 0 when a request fits; else the whole seconds after which one would (RFC 9110 section 10.2.3).
  uint32_t request(Key key, const PrincipalQuotas& most, uint64_t now_us) noexcept;
  // Nothing when there are as many already. Empty where the endpoint has no such quota.
  std::optional<Hold> websocket(Key key, const PrincipalQuotas& most) noexcept {
    return take(websockets_, key, most.websockets);
  }
  // Kernel starts are counted wherever there is a quota for them or for kernels: these are those
  // of the gateway's list and those still to come (Hold::ahead).
  std::optional<Hold> launch(Key key, const PrincipalQuotas& most) noexcept;

 private:
  static std::optional<Hold> take(HeldCounts& counts, Key key, uint32_t most) noexcept {
    return most == 0 ? Hold() : counts.take(key, most);
  }

  SecretMix mix_;
  HeldCounts websockets_;
  HeldCounts launches_;
  RateGate requests_;
};

}  // namespace kg::exchange
