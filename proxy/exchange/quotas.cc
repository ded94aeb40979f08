#include "proxy/exchange/quotas.h"

#include <limits>

namespace kg::exchange {

uint32_t Quotas::request(Key key, const PrincipalQuotas& most, uint64_t now_us) noexcept {
  if (most.requests_per_second == 0) return 0;
  const uint64_t wait_us =
      requests_.pass(key, most.requests_per_second, most.request_burst, now_us);
  return static_cast<uint32_t>((wait_us + 999'999) / 1'000'000);
}

std::optional<Quotas::Hold> Quotas::launch(Key key, const PrincipalQuotas& most) noexcept {
  if (most.launches != 0) return launches_.take(key, most.launches);
  if (most.kernels == 0) return Hold();
  return launches_.take(key, std::numeric_limits<uint32_t>::max());
}

}  // namespace kg::exchange
