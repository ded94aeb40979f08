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
  uint64_t begin_us_ = 0;
  uint64_t idle_end_us_ = 0;  // from then on whoever becomes idle goes at once
  uint64_t busy_begin_us_ = 0;
  uint64_t busy_end_us_ = 0;
  uint64_t deadline_us_ = 0;
  size_t open_ = 0;     // at the begin
  size_t working_ = 0;  // at busy_begin_us_
  size_t idle_gone_ = 0;
  size_t busy_gone_ = 0;
};

}  // namespace kg::server
