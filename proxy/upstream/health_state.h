// HealthState: what the active checks of one pod say.
//
//   state      | a check passes                        | a check fails
//   Unknown    | Healthy                               | unhealthy_after in a row: Unhealthy
//   Healthy    |                                       | unhealthy_after in a row: Unhealthy
//   Unhealthy  | healthy_after in a row: Healthy       |
//
// Unknown counts as healthy: a start waits for no check. Pure.
#pragma once

#include <cstdint>

namespace kg::upstream {

class HealthState {
 public:
  // `healthy`: what is known already.
  HealthState(uint32_t unhealthy_after, uint32_t healthy_after, bool healthy) noexcept
      : unhealthy_after_(unhealthy_after),
        healthy_after_(healthy_after),
        last_passed_(healthy),
        healthy_(healthy) {}

  // True when healthy() changed.
  bool report(bool passed) noexcept {
    if (passed != last_passed_) in_a_row_ = 0;
    last_passed_ = passed;
    ++in_a_row_;
    if (passed == healthy_ || in_a_row_ < (passed ? healthy_after_ : unhealthy_after_)) {
      return false;
    }
    healthy_ = passed;
    return true;
  }
  bool healthy() const noexcept { return healthy_; }

 private:
  uint32_t unhealthy_after_;
  uint32_t healthy_after_;
  uint32_t in_a_row_ = 0;
  bool last_passed_;
  bool healthy_;
};

}  // namespace kg::upstream
