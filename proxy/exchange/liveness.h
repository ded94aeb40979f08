// Liveness: whether one side of a WebSocket still lives, told from what it says and when.
//
// Any byte proves life. A side that has been silent for `ping_after` is asked, unless a ping of the
// other end waits for its answer already. It is dead when it has been silent for `dead_after`, the
// last `dead_after - ping_after` of them with a question before it. Silence counts only while the
// relay reads that side: whoever stops reading says heard() when it goes on.
// Pure: times are given (monotonic microseconds, of one clock), no timer is touched.
#pragma once

#include <cstdint>

namespace kg::exchange {

class Liveness {
 public:
  enum class Need : uint8_t { kNothing, kQuestion, kFuneral };
  struct Verdict {
    Need need = Need::kNothing;
    uint64_t again_us = 0;  // when to judge the next time
  };

  Liveness(uint32_t ping_after_ms, uint32_t dead_after_ms, uint64_t now_us) noexcept
      : ping_after_us_(uint64_t{ping_after_ms} * 1'000),
        dead_after_us_(uint64_t{dead_after_ms} * 1'000),
        heard_us_(now_us) {}

  void heard(uint64_t now_us) noexcept {
    if (heard_us_ < now_us) heard_us_ = now_us;
  }
  // Bytes that the side's system has taken so far, while more wait for it: reading slowly is life
  // too.
  void took(uint64_t bytes, uint64_t now_us) noexcept {
    if (bytes > taken_) heard(now_us);
    taken_ = bytes;
  }
  // Another peer takes this one's place.
  void begin_anew(uint64_t now_us) noexcept {
    heard_us_ = now_us;
    taken_ = asked_us_ = other_asked_us_ = 0;
  }
  void asked(uint64_t now_us) noexcept { asked_us_ = now_us; }  // by a ping of ours, or a Close
  // A ping of the other end went to this side; a pong came from it.
  void asked_by_other_end(uint64_t now_us) noexcept {
    if (other_asked_us_ == 0) other_asked_us_ = now_us;
  }
  void answered_other_end() noexcept { other_asked_us_ = 0; }
  uint64_t asked_us() const noexcept { return asked_us_; }
  uint64_t ping_after_us() const noexcept { return ping_after_us_; }

  Verdict judge(uint64_t now_us) const noexcept;

 private:
  uint64_t ping_after_us_;
  uint64_t dead_after_us_;
  uint64_t heard_us_;
  uint64_t taken_ = 0;           // bytes
  uint64_t asked_us_ = 0;        // counts while it is later than heard_us_
  uint64_t other_asked_us_ = 0;  // 0: no ping of the other end waits
};

}  // namespace kg::exchange
