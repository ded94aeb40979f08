#include "auth/key_schedule.h"

#include <algorithm>

#include "proxy/base/limits.h"

namespace kg::auth {
namespace {
constexpr uint64_t kSecondUs = 1'000'000;
}

void KeySchedule::on_good(uint64_t now_us, std::optional<uint32_t> seconds_fresh) noexcept {
  const uint32_t fresh = std::clamp(seconds_fresh.value_or(limits::kKeysFresh),
                                    limits::kKeysFreshMin, limits::kKeysFreshMax);
  const uint64_t after_us = refresh_s_ != 0 ? refresh_s_ * kSecondUs : fresh * kSecondUs / 5 * 4;
  next_us_ = now_us + after_us;
  fetched_us_ = now_us;
  failures_ = 0;
}

void KeySchedule::on_bad(uint64_t now_us) noexcept {
  const uint32_t wait_s = std::min(limits::kKeysRetryMax, 1U << std::min(failures_, 10U));
  ++failures_;
  next_us_ = now_us + wait_s * kSecondUs;
}

bool KeySchedule::take_expired(uint64_t now_us) noexcept {
  if (fetched_us_ == 0 || now_us < fetched_us_ + stale_s_ * kSecondUs) return false;
  fetched_us_ = 0;
  return true;
}

void KeySchedule::on_learn(uint64_t now_us) noexcept {
  learn_from_us_ = now_us + limits::kKeysLearnMs * uint64_t{1'000};
}

}  // namespace kg::auth
