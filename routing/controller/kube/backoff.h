// Backoff: how long to wait before the next try: twice as long each time, up to a bound, and never
// two clients alike.
#pragma once

#include <cstdint>

namespace kg::kube {

class Backoff {
 public:
  constexpr Backoff(uint32_t first_ms, uint32_t most_ms) noexcept
      : first_ms_(first_ms), most_ms_(most_ms), step_ms_(first_ms) {}

  // Between half of the step and all of it, by `random`; then the step doubles. What the server
  // asked for (Retry-After) counts if it is longer, and up to a quarter comes on top of it.
  uint32_t next_ms(uint32_t random, uint32_t asked_ms = 0) noexcept;
  void reset() noexcept { step_ms_ = first_ms_; }
  bool is_fresh() const noexcept { return step_ms_ == first_ms_; }

 private:
  uint32_t first_ms_;
  uint32_t most_ms_;
  uint32_t step_ms_;
};

uint32_t random_word() noexcept;  // for next_ms()

}  // namespace kg::kube
