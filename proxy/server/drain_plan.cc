#include "proxy/server/drain_plan.h"

#include <algorithm>

#include "proxy/base/limits.h"

namespace kg::server {
namespace {

constexpr uint64_t kTickMs = 50;   // while closes are spread
constexpr uint64_t kWaitMs = 250;  // between: for kernels that become idle
constexpr uint64_t kGoodbyeMs =
    uint64_t{limits::kPartingMs} + limits::kCloseBoundaryMs + limits::kCloseReplyMs;

// Of `count`, how many are due at `now` if they go evenly from `begin` to `end`: the first at once.
size_t share(size_t count, uint64_t now, uint64_t begin, uint64_t end) noexcept {
  if (now >= end) return count;
  return std::min<size_t>(count, count * (now - begin) / (end - begin) + 1);
}

}  // namespace

DrainPlan::DrainPlan(uint64_t now_us, uint64_t deadline_ms, size_t open) noexcept
    : begin_us_(now_us), deadline_us_(now_us + deadline_ms * 1'000), open_(open) {
  const uint64_t idle_ms = std::min<uint64_t>(deadline_ms / 2, limits::kDrainIdleSpreadMs);
  const uint64_t busy_ms = std::min<uint64_t>(deadline_ms * 3 / 10, limits::kDrainBusySpreadMs);
  idle_end_us_ = begin_us_ + idle_ms * 1'000;
  busy_end_us_ = deadline_us_ - std::min(deadline_ms / 5, kGoodbyeMs) * 1'000;
  busy_begin_us_ = busy_end_us_ - busy_ms * 1'000;
}

DrainPlan::Due DrainPlan::close(uint64_t now_us, size_t idle, size_t busy) noexcept {
  Due due;
  // All that were open count: as many as may become idle.
  const size_t idle_share = share(open_, now_us, begin_us_, idle_end_us_);
  const size_t idle_most =
      now_us >= idle_end_us_ ? idle : idle_share - std::min(idle_share, idle_gone_);
  due.idle = std::min(idle, idle_most);
  idle_gone_ += due.idle;
  if (now_us < busy_begin_us_) {
    working_ = busy;
    return due;
  }
  const size_t busy_share = share(working_, now_us, busy_begin_us_, busy_end_us_);
  const size_t busy_most =
      now_us >= busy_end_us_ ? busy : busy_share - std::min(busy_share, busy_gone_);
  due.busy = std::min(busy, busy_most);
  busy_gone_ += due.busy;
  return due;
}

uint64_t DrainPlan::look_again_ms(uint64_t now_us) const noexcept {
  if (now_us < idle_end_us_ || now_us >= busy_begin_us_) return kTickMs;
  return std::clamp((busy_begin_us_ - now_us) / 1'000, kTickMs, kWaitMs);
}

}  // namespace kg::server
