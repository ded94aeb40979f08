// ReconnectPlan: when a lost gateway is tried again, and what its answers mean. Pure: times are
// given, nothing is sent.
//
//   answer to the handshake        | verdict
//   101                            | kJoin (if it fits, which the caller looks at)
//   404                            | kDead: the gateway does not know the kernel any more
//   429, 500, 502, 503, 504        | kAgain: it starts, or is overloaded
//   anything else                  | kRefused: asking again changes nothing
//   no connection, no answer       | kAgain
//
// Tries go on until `window` after the loss; a try that began may end later. The first comes within
// kReconnectPauseMs, so that many who lost the same gateway do not all come at once, each further
// pause is twice as long, up to kReconnectPauseMsMax, less up to half of it by chance. A connection
// that is lost again before it has stood for `window` continues what the loss before it began: a
// gateway that answers 101 and hangs up is not asked for ever.
// Owner: the exchange, for all gaps of one WebSocket.
#pragma once

#include <cstdint>
#include <optional>

namespace kg::exchange {

class ReconnectPlan {
 public:
  enum class Verdict : uint8_t { kJoin, kDead, kAgain, kRefused };

  explicit ReconnectPlan(uint32_t window_ms) noexcept : window_us_(uint64_t{window_ms} * 1'000) {}

  void lost(uint64_t now_us) noexcept;
  void mended(uint64_t now_us) noexcept { mended_us_ = now_us; }
  // Until the next try; none if there is none. `chance`: any number.
  std::optional<uint32_t> pause_ms(uint64_t now_us, uint32_t chance) noexcept;

  bool is_over(uint64_t now_us) const noexcept { return now_us >= until_us_; }
  uint64_t left_ms(uint64_t now_us) const noexcept {
    return is_over(now_us) ? 0 : (until_us_ - now_us) / 1'000;
  }

  static Verdict judge(uint16_t status) noexcept;

 private:
  uint64_t window_us_;
  uint64_t until_us_ = 0;   // 0: nothing was lost yet
  uint64_t mended_us_ = 0;  // the last time
  uint32_t tries_ = 0;
};

}  // namespace kg::exchange
