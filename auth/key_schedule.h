// KeySchedule: when an issuer's keys are fetched, and for how long the last good ones serve.
//
//   good answer:  again after four fifths of the time for which it is fresh (max-age, within
//                 kKeysFreshMin and kKeysFreshMax seconds; kKeysFresh if it says nothing), or after
//                 the configured period.
//   bad answer:   again after 1 s, 2 s, 4 s, at most kKeysRetryMax. The last good keys serve on
//                 until `stale_s` after they were fetched; then nothing is believed any more.
//   unknown kid:  a fetch of its own, at most one in kKeysLearnMs: a stranger's tokens must not
//                 become a flood of fetches.
//
// A value; owner and thread: the source's. Times are the monotonic clock's, in microseconds.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace kg::auth {

class KeySchedule {
 public:
  // refresh_s 0: as the answers say.
  KeySchedule(uint32_t refresh_s, uint32_t stale_s) : refresh_s_(refresh_s), stale_s_(stale_s) {}

  void on_good(uint64_t now_us, std::optional<uint32_t> seconds_fresh) noexcept;
  void on_bad(uint64_t now_us) noexcept;
  bool is_due(uint64_t now_us) const noexcept { return now_us >= next_us_; }
  // Are there keys that are too old to be believed? True once.
  bool take_expired(uint64_t now_us) noexcept;
  // Any thread.
  bool may_learn(uint64_t now_us) const noexcept { return now_us >= learn_from_us_.load(); }
  void on_learn(uint64_t now_us) noexcept;
  uint64_t fetched_us() const noexcept { return fetched_us_; }  // 0: no keys
  uint32_t failures() const noexcept { return failures_; }      // in a row

 private:
  uint32_t refresh_s_;
  uint32_t stale_s_;
  uint64_t next_us_ = 0;
  uint64_t fetched_us_ = 0;
  uint32_t failures_ = 0;
  std::atomic<uint64_t> learn_from_us_{0};
};

}  // namespace kg::auth
