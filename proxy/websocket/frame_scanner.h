// FrameScanner follows the frame boundaries of one direction of a WebSocket without changing or
// holding a byte (RFC 6455 section 5.2). It counts, and tells where a frame of our own may go.
//
// It judges nothing but the size of a message, if a limit is set: reserved bits, unknown opcodes,
// masks and bad lengths pass. Where it cannot follow (a 64-bit length with its top bit set), lost()
// turns true for good: the relay goes on, nothing is ever injected in that direction again.
// Bytes held: a partial frame header (14) and, of a Close frame, its code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace kg::websocket {

class FrameScanner {
 public:
  static constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

  // Bytes of payload in one message, all its fragments together.
  void limit_message(uint64_t bytes_max) noexcept { message_max_ = bytes_max; }

  // Follows `data`, however it is split, and returns how much of it may pass: all, unless a frame
  // begins that makes its message too large. Cost: per frame, not per byte.
  size_t scan(std::string_view data) noexcept;
  // The same, but stops behind the frame that ends first.
  size_t scan_frame(std::string_view data) noexcept;

  bool at_boundary() const noexcept { return !lost_ && header_bytes_ == 0 && payload_left_ == 0; }
  // At a frame boundary and not inside a fragmented message.
  bool between_messages() const noexcept { return at_boundary() && !in_message_; }
  // How many of the newest bytes belong to a message that has not ended, control frames inside it
  // too; 0 between messages.
  uint64_t open_bytes() const noexcept { return open_bytes_; }
  bool lost() const noexcept { return lost_; }
  // A message passed its limit. at_boundary() tells whether its last frame was kept back whole;
  // scanning is over.
  bool too_large() const noexcept { return too_large_; }
  // From now on scanning stops in front of a Close frame, at its first byte. What it takes then is
  // none of the frame's, until drop_close() (it went nowhere) or pass_close() (it may pass).
  void hold_close() noexcept { holds_close_ = true; }
  bool at_close() const noexcept { return at_close_; }
  void drop_close() noexcept { at_close_ = false; }
  void pass_close() noexcept { at_close_ = holds_close_ = false; }
  // A whole Close frame went by; `close_code` is that of the first, 1005 if it carried none.
  bool closed() const noexcept { return closed_; }
  uint16_t close_code() const noexcept { return close_code_; }
  uint64_t messages() const noexcept { return messages_; }  // whole data messages

  // What a scan_frame() has just passed, for whoever looks into messages. `passed`: how many bytes,
  // at least one. Whether they are a whole message of that kind, in one frame and uncompressed;
  // its payload begins behind header_size() of them.
  enum class Kind : uint8_t { kText = 0x81, kBinary = 0x82 };  // the first byte of one
  bool is_whole_message(size_t passed, Kind kind) const noexcept {
    return is_whole_frame(passed) && header_[0] == static_cast<uint8_t>(kind);
  }
  size_t header_size() const noexcept { return header_size_; }
  // Whether they are a whole frame.
  bool is_whole_frame(size_t passed) const noexcept { return frame_bytes_ == passed; }
  // The payload of a data frame in them, and how much of that frame's went before.
  struct Piece {
    std::string_view payload;
    uint64_t before = 0;
    uint32_t mask = 0;  // as it stands in the frame; 0 without
    bool data = false;  // they belong to a data frame
    bool begins_message = false;
    bool ends_message = false;
    bool binary = false;      // of the frame that begins one
    bool compressed = false;  // likewise
  };
  Piece piece(std::string_view passed) const noexcept;
  uint32_t pings() const noexcept { return pings_; }  // whole frames; counts wrap around
  uint32_t pongs() const noexcept { return pongs_; }
  // Both in one word, to see whether there were any.
  uint64_t pings_and_pongs() const noexcept { return uint64_t{pongs_} << 32 | pings_; }

 private:
  size_t passed(std::string_view data, const char* end, const char* whole) noexcept;
  // The header stays until the next one begins: opcode, mask and length form are read from it.
  const char* take_header(const char* at, const char* end) noexcept;
  const char* take_payload(const char* at, const char* end) noexcept;
  void finish_header() noexcept;
  void finish_frame() noexcept;
  bool measure_message() noexcept;
  void take_close_payload(std::string_view payload) noexcept;

  std::array<unsigned char, 14> header_{};
  uint8_t header_bytes_ = 0;  // of a header that is not whole yet
  uint8_t header_size_ = 0;   // of the frame whose header is in header_, else 0; as frame_bytes_
  uint8_t close_bytes_ = 0;
  std::array<unsigned char, 2> close_payload_{};
  bool in_message_ = false;
  bool lost_ = false;
  bool too_large_ = false;
  bool closed_ = false;
  bool holds_close_ = false;
  bool at_close_ = false;
  uint16_t close_code_ = 1006;  // none seen (section 7.1.5)
  uint32_t pings_ = 0;
  uint32_t pongs_ = 0;
  uint64_t open_bytes_ = 0;
  uint64_t payload_left_ = 0;
  uint64_t frame_bytes_ = 0;  // with its header
  uint64_t messages_ = 0;
  uint64_t message_bytes_ = 0;  // of the message that runs
  uint64_t message_max_ = kNoLimit;
};

}  // namespace kg::websocket
