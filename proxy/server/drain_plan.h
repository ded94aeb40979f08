// DrainPlan: how many WebSockets a drain may close by when. Those whose kernels do nothing go
// first, spread, so that their clients do not all reconnect in one moment (domain A13); those whose
// kernels work stay until the deadline comes near, and go spread again, with time left to say
// goodbye. Pure: times are given, monotonic microseconds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kg::server {

class DrainPlan {
 public:
  DrainPlan() = default;
  // `open`: WebSockets that are open now, of idle and busy kernels.
  DrainPlan(uint64_t now_us, uint64_t deadline_ms, size_t open) noexcept;

  bool over(uint64_t now_us) const noexcept { return now_us >= deadline_us_; }
  struct Due {
    size_t idle = 0;
    size_t busy = 0;
  };
  // How many of the given ones close now, and count as closed.
  Due close(uint64_t now_us, size_t idle, size_t busy) noexcept;
  uint64_t look_again_ms(uint64_t now_us) const noexcept;

 private:
  // Closes that go evenly from begin to end, and from the end on at once.
  struct Spread {
    uint64_t begin_us = 0;
    uint64_t end_us = 0;
    size_t count = 0;  // of them in all
    size_t gone = 0;

    size_t take(uint64_t now_us, size_t present) noexcept;
  };

  Spread idle_;  // all that were open at the begin count: as many as may become idle
  Spread busy_;  // those that work when it begins
  uint64_t deadline_us_ = 0;
};

}  // namespace kg::server
