// ClientCounts: how much each client address holds at this moment, over all workers.
//
// Owner: Admission. Thread: any. Limits: HeldCounts'.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "proxy/exchange/held_counts.h"

namespace kg::exchange {

using AddressBytes = std::array<unsigned char, 16>;  // event::SocketAddress::bytes16

class ClientCounts {
 public:
  using Hold = HeldCounts::Hold;
  static constexpr size_t kClientSlots = HeldCounts::kSlots;

  // Nothing when the address holds `most` already. IPv6 addresses count by their /64, which is
  // what one client is given (RFC 6177).
  std::optional<Hold> take(AddressBytes address, uint32_t most) noexcept;

 private:
  SecretMix mix_;
  HeldCounts counts_;
};

}  // namespace kg::exchange
