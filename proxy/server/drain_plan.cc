#include "proxy/server/drain_plan.h"

#include <algorithm>

#include "proxy/base/limits.h"

namespace kg::server {
namespace {

constexpr uint64_t kTickMs = 50;   // while closes are spread
constexpr uint64_t kWaitMs = 250;  // between: for kernels that become idle
constexpr uint64_t kGoodbyeMs =
    uint64_t{limits::kPartingMs} + limits::kCloseBoundaryMs + limits::kCloseReplyMs;

}  // namespace

size_t DrainPlan::Spread::take(uint64_t now_us, size_t present) noexcept {
  size_t due = present;
  if (now_us < end_us) {  // the first goes at the begin
    const size_t so_far =
        std::min<size_t>(count, count * (now_us - begin_us) / (end_us - begin_us) + 1);
    due = std::min(present, so_far - std::min(so_far, gone));
  }
  gone += due;
  return due;
}

DrainPlan::DrainPlan(uint64_t now_us, uint64_t deadline_ms, size_t open) noexcept
    : deadline_us_(now_us + deadline_ms * 1'000) {
  const uint64_t idle_ms = std::min<uint64_t>(deadline_ms / 2, limits::kDrainIdleSpreadMs);
  const uint64_t busy_ms = std::min<uint64_t>(deadline_ms * 3 / 10, limits::kDrainBusySpreadMs);
  idle_ = {now_us, now_us + idle_ms * 1'000, open, 0};
  busy_.end_us = deadline_us_ - std::min(deadline_ms / 5, kGoodbyeMs) * 1'000;
  busy_.begin_us = busy_.end_us - busy_ms * 1'000;
}

DrainPlan::Due DrainPlan::close(uint64_t now_us, size_t idle, size_t busy) noexcept {
  Due due;
  due.idle = idle_.take(now_us, idle);
  if (now_us < busy_.begin_us) {
    busy_.count = busy;
  } else {
    due.busy = busy_.take(now_us, busy);
  }
  return due;
}

uint64_t DrainPlan::look_again_ms(uint64_t now_us) const noexcept {
  if (now_us < idle_.end_us || now_us >= busy_.begin_us) return kTickMs;
  return std::clamp((busy_.begin_us - now_us) / 1'000, kTickMs, kWaitMs);
}

}  // namespace kg::server
