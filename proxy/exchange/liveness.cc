#include "proxy/exchange/liveness.h"

#include <algorithm>

namespace kg::exchange {

Liveness::Verdict Liveness::judge(uint64_t now_us) const noexcept {
  const uint64_t silent_us = heard_us_ + ping_after_us_;
  if (now_us < silent_us) return {Need::kNothing, silent_us};
  uint64_t question_us = other_asked_us_;
  if (question_us == 0 && asked_us_ > heard_us_) question_us = asked_us_;
  if (question_us == 0) return {Need::kQuestion, now_us};
  const uint64_t dead_us =
      std::max(heard_us_ + dead_after_us_, question_us + dead_after_us_ - ping_after_us_);
  // It may answer at once and be silent again.
  if (now_us < dead_us) return {Need::kNothing, std::min(dead_us, now_us + ping_after_us_)};
  return {Need::kFuneral, now_us};
}

}  // namespace kg::exchange
