// Runs a loop until something came true: what tests do in place of sleeping.
#pragma once

#include <cstdint>
#include <functional>

#include "proxy/event/watcher.h"

namespace kg::event {

inline constexpr uint64_t kPatienceMs = 10'000;

// Turns until done(), looked at every millisecond. False when that took kPatienceMs.
inline bool run_until(EventLoop& loop, const std::function<bool()>& done) {
  loop.settle();  // what was scheduled outside a turn
  const uint64_t give_up_us = monotonic_us() + kPatienceMs * 1'000;
  bool reached = done();
  if (reached) return true;
  Timer look(loop, [&] {
    reached = done();
    if (reached || monotonic_us() > give_up_us) return loop.stop();
    look.arm_ms(1);
  });
  look.arm_ms(1);
  loop.run();
  return reached;
}

// Enough turns for all that is ready to be told.
inline void run_turns(EventLoop& loop, int turns = 5) {
  for (int i = 0; i < turns; ++i) {
    loop.post([&loop] { loop.stop(); });
    loop.run();
  }
}

}  // namespace kg::event
