// Pace: so many at once after a pause, then one each so often (the generic cell rate algorithm: one
// number instead of a bucket and a clock). A value; monotonic microseconds.
#pragma once

#include <algorithm>
#include <cstdint>

namespace kg::kube {

class Pace {
 public:
  constexpr Pace(uint64_t each_us, uint32_t at_once) noexcept
      : each_us_(each_us), most_us_(each_us * at_once) {}

  // Until the next one may pass: 0, or microseconds.
  constexpr uint64_t wait_us(uint64_t now_us) const noexcept {
    const uint64_t until_us = std::max(until_us_, now_us) + each_us_;
    return until_us > now_us + most_us_ ? until_us - now_us - most_us_ : 0;
  }
  // As if nothing had ever passed.
  constexpr bool is_fresh(uint64_t now_us) const noexcept { return until_us_ <= now_us; }
  constexpr void take(uint64_t now_us) noexcept {
    until_us_ = std::max(until_us_, now_us) + each_us_;
  }

 private:
  uint64_t each_us_;
  uint64_t most_us_;
  uint64_t until_us_ = 0;  // what passed would take so long at the rate
};

}  // namespace kg::kube
