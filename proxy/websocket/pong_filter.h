// PongFilter takes the pongs that answer our own pings out of what one peer sends, and nothing else
// (RFC 6455 section 5.5.3). Used only while it is not idle(): the steady path does not know it.
//
// Our pings carry 8 bytes: a random number of this connection plus a count, so that neither a
// peer's own pong nor a late answer to an older ping is mistaken. Bytes held: the start of a frame
// that may be such a pong, at most 14, and only at a frame boundary; to whoever is behind the
// filter they do not exist yet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/websocket/control_frame.h"
#include "proxy/websocket/frame_scanner.h"

namespace kg::websocket {

class PongFilter {
 public:
  // `masking`: of the peer's frames.
  explicit PongFilter(Masking masking) noexcept : masking_(masking) {}

  // The payload of one more ping.
  std::array<char, 8> next_ping();
  // Nothing is awaited and nothing is held.
  bool idle() const noexcept { return answered_ == sent_ && held_bytes_ == 0; }

  struct Step {
    size_t used = 0;        // of the input
    std::string_view pass;  // goes on; in the input, or held here until the next call
    bool newest = false;    // the newest ping was answered
  };
  // One step through `bytes` (not empty); `scanner` has followed what passed before and follows
  // `pass`. Uses nothing only when the scanner finds a message too large.
  Step next(std::string_view bytes, FrameScanner& scanner);
  // What is held, when the peer has ended: it is no pong any more.
  std::string_view take_held() noexcept;

 private:
  size_t pong_size() const noexcept { return masking_ == Masking::kNone ? 10 : 14; }
  bool may_be_pong() const noexcept;
  bool is_ours(bool& newest) noexcept;

  std::array<unsigned char, 14> held_{};
  uint8_t held_bytes_ = 0;
  Masking masking_;
  uint64_t sent_ = 0;  // pings so far
  uint64_t answered_ = 0;
  uint64_t nonce_ = 0;
};

}  // namespace kg::websocket
