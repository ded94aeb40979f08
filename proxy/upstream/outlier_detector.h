// OutlierDetector: what the outcomes of real requests say about one pod, as one worker sees them.
//
//   state      | success | failure                             | time
//   Trusted    |         | kOutlierFailures in a row: Suspect  |
//   Suspect    | Trusted |                                     | its back-off is over: Probation
//   Probation  | Trusted | Suspect, back-off doubled           |
//
// A failure is an attempt that a gateway's application did not answer: no connection, a broken or
// missing answer, 502, 503 or 504. A success is any other answer. The back-off begins with
// kOutlierBackoffMs and is kOutlierBackoffMsMax at most. An endpoint's last pod is asked also while
// it is Suspect, and each answer counts. Pure: time comes with each call.
#pragma once

#include <cstdint>

namespace kg::upstream {

class OutlierDetector {
 public:
  // Each returns true when suspects() may have changed by it: at entering and leaving suspicion.
  bool on_success() noexcept;
  bool on_failure(uint64_t now_us) noexcept;

  // Suspect or in probation: not yet seen to be well again.
  bool suspects() const noexcept { return backoff_us_ != 0; }
  // Suspect: another pod should be asked, if there is one.
  bool backs_off(uint64_t now_us) const noexcept { return now_us < until_us_; }
  uint32_t failures_in_a_row() const noexcept { return failures_; }

 private:
  uint32_t failures_ = 0;
  uint64_t backoff_us_ = 0;  // 0: Trusted
  uint64_t until_us_ = 0;    // Suspect before it, Probation from then on
};

}  // namespace kg::upstream
