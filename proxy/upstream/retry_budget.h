// RetryBudget: how many requests one worker may send to one endpoint a second time, so that retries
// never multiply what a failing gateway gets.
//
// Of a sliding window of kRetryWindowSeconds it allows kRetryBudgetPercent of the requests that
// went up, and kRetryBudgetMin in any case. Owner: the LocalEndpoint. Pure: time comes with each
// call, and does not go backwards.
#pragma once

#include <array>
#include <cstdint>

#include "proxy/base/limits.h"

namespace kg::upstream {

class RetryBudget {
 public:
  // A request goes up for the first time.
  void count_request(uint64_t now_us) noexcept;
  // Takes one retry out of the budget; false when none is left.
  bool take(uint64_t now_us) noexcept;

 private:
  struct Slice {
    uint32_t requests = 0;
    uint32_t retries = 0;
  };
  Slice& slice_at(uint64_t now_us) noexcept;

  std::array<Slice, limits::kRetryWindowSeconds> slices_;  // one second each
  uint64_t second_ = 0;                                    // of the newest slice
};

}  // namespace kg::upstream
