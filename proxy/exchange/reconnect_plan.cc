#include "proxy/exchange/reconnect_plan.h"

#include <algorithm>

#include "proxy/base/limits.h"

namespace kg::exchange {

void ReconnectPlan::lost(uint64_t now_us) noexcept {
  if (until_us_ != 0 && now_us - mended_us_ < window_us_) return;
  until_us_ = now_us + window_us_;
  tries_ = 0;
}

std::optional<uint32_t> ReconnectPlan::pause_ms(uint64_t now_us, uint32_t chance) noexcept {
  if (now_us >= until_us_) return std::nullopt;
  const uint32_t doubled = limits::kReconnectPauseMs << std::min(tries_, 8U);
  const uint32_t most = std::min(doubled, limits::kReconnectPauseMsMax);
  const uint32_t least = tries_ == 0 ? 0 : most / 2;
  ++tries_;
  const uint32_t pause = least + chance % (most - least + 1);
  return static_cast<uint32_t>(std::min<uint64_t>(pause, left_ms(now_us)));
}

ReconnectPlan::Verdict ReconnectPlan::judge(uint16_t status) noexcept {
  switch (status) {
    case 101:
      return Verdict::kJoin;
    case 404:
      return Verdict::kDead;
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return Verdict::kAgain;
    default:
      return Verdict::kRefused;
  }
}

}  // namespace kg::exchange
