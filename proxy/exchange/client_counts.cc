#include "proxy/exchange/client_counts.h"

#include <algorithm>
#include <cstring>

namespace kg::exchange {

std::optional<ClientCounts::Hold> ClientCounts::take(AddressBytes address, uint32_t most) noexcept {
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(kMapped.begin(), kMapped.end(), address.begin())) {
    std::fill(address.begin() + 8, address.end(), 0);
  }
  std::array<uint64_t, 2> halves{};
  std::memcpy(halves.data(), address.data(), address.size());
  return counts_.take(mix_.of(halves[0], halves[1]), most);
}

}  // namespace kg::exchange
