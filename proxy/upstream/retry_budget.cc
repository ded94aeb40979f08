#include "proxy/upstream/retry_budget.h"

#include <algorithm>

namespace kg::upstream {

// Empties the slices of the seconds that passed since the last call.
RetryBudget::Slice& RetryBudget::slice_at(uint64_t now_us) noexcept {
  const uint64_t second = now_us / 1'000'000;
  const uint64_t passed = std::min<uint64_t>(second - second_, slices_.size());
  for (uint64_t i = 0; i < passed; ++i) slices_[(second - i) % slices_.size()] = {};
  second_ = second;
  return slices_[second % slices_.size()];
}

void RetryBudget::count_request(uint64_t now_us) noexcept { ++slice_at(now_us).requests; }

bool RetryBudget::take(uint64_t now_us) noexcept {
  Slice& newest = slice_at(now_us);
  uint64_t requests = 0;
  uint64_t retries = 0;
  for (const Slice& slice : slices_) {
    requests += slice.requests;
    retries += slice.retries;
  }
  const uint64_t share = requests * limits::kRetryBudgetPercent / 100;
  if (retries >= std::max<uint64_t>(share, limits::kRetryBudgetMin)) return false;
  ++newest.retries;
  return true;
}

}  // namespace kg::upstream
