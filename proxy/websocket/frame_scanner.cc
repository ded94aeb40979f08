#include "proxy/websocket/frame_scanner.h"

#include <algorithm>
#include <cstring>

namespace kg::websocket {
namespace {

constexpr unsigned char kFin = 0x80;
constexpr unsigned char kOpcode = 0x0f;
constexpr unsigned char kReserved = 0x70;
constexpr unsigned char kContinuation = 0x00;
constexpr unsigned char kBinary = 0x02;
constexpr unsigned char kControl = 0x08;  // opcodes from here on may stand inside a message
constexpr unsigned char kClose = 0x08;
constexpr unsigned char kPing = 0x09;
constexpr unsigned char kPong = 0x0a;
constexpr unsigned char kMasked = 0x80;
constexpr unsigned char kLength = 0x7f;
constexpr unsigned char kLength16 = 126;
constexpr unsigned char kLength64 = 127;
constexpr uint16_t kCloseWithoutCode = 1005;

// Where the masking key begins, or would begin.
constexpr size_t mask_offset(unsigned char second) noexcept {
  const unsigned char length = second & kLength;
  return length == kLength64 ? 10 : length == kLength16 ? 4 : 2;
}

constexpr size_t header_bytes(unsigned char second) noexcept {
  return mask_offset(second) + ((second & kMasked) != 0 ? 4 : 0);
}

template <size_t kSize>
uint64_t big_endian(const unsigned char* bytes) noexcept {
  uint64_t value = 0;
  for (size_t i = 0; i < kSize; ++i) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

// Some are left.
inline const char* FrameScanner::take_payload(const char* at, const char* end) noexcept {
  const size_t taken =
      static_cast<size_t>(std::min<uint64_t>(payload_left_, static_cast<uint64_t>(end - at)));
  if ((header_[0] & kOpcode) == kClose) take_close_payload({at, taken});
  payload_left_ -= taken;
  if (payload_left_ == 0) finish_frame();
  return at + taken;
}

size_t FrameScanner::scan(std::string_view data) noexcept {
  const char* at = data.data();
  const char* const end = at + data.size();
  const char* whole = nullptr;  // behind the last message that ended
  while (at != end && !lost_ && !too_large_) {
    if (payload_left_ == 0) {
      const bool begins_here = header_bytes_ == 0;
      const char* const begin = at;
      if (holds_close_ && begins_here && (static_cast<unsigned char>(*at) & kOpcode) == kClose) {
        at_close_ = true;
        return passed(data, at, whole);
      }
      at = take_header(at, end);
      if (too_large_) {
        // Kept back whole, or cut after what went on in an earlier call: no boundary then.
        if (!begins_here) header_bytes_ = 1;
        return passed(data, begin, whole);
      }
    } else {
      at = take_payload(at, end);
    }
    if (between_messages()) whole = at;
  }
  return too_large_ ? 0 : passed(data, end, whole);
}

// One frame needs no loop: what is left of its header, then of its payload.
size_t FrameScanner::scan_frame(std::string_view data) noexcept {
  const char* at = data.data();
  const char* const end = at + data.size();
  if (too_large_) return 0;
  if (lost_ || at == end) return passed(data, end, nullptr);
  if (payload_left_ == 0) {
    const bool begins_here = header_bytes_ == 0;
    if (holds_close_ && begins_here && (static_cast<unsigned char>(*at) & kOpcode) == kClose) {
      at_close_ = true;
      return passed(data, at, nullptr);
    }
    at = take_header(at, end);
    if (too_large_) {
      if (!begins_here) header_bytes_ = 1;  // as above
      return passed(data, data.data(), nullptr);
    }
    if (lost_) return passed(data, end, nullptr);
  }
  if (payload_left_ != 0) at = take_payload(at, end);
  return passed(data, at, between_messages() ? at : nullptr);
}

size_t FrameScanner::passed(std::string_view data, const char* end, const char* whole) noexcept {
  const auto size = static_cast<size_t>(end - data.data());
  open_bytes_ = whole != nullptr ? static_cast<uint64_t>(end - whole) : open_bytes_ + size;
  return size;
}

const char* FrameScanner::take_header(const char* at, const char* end) noexcept {
  // The usual case: a whole header and then some. One copy of fixed size is the cheapest.
  if (header_bytes_ == 0 && static_cast<size_t>(end - at) >= header_.size()) {
    std::memcpy(header_.data(), at, header_.size());
    header_size_ = static_cast<uint8_t>(header_bytes(header_[1]));
    at += header_size_;
    finish_header();
    return at;
  }
  if (header_bytes_ == 0) frame_bytes_ = header_size_ = 0;  // header_ is no frame's now
  while (at != end) {
    header_[header_bytes_++] = static_cast<unsigned char>(*at++);
    if (header_bytes_ >= 2 && header_bytes_ == header_bytes(header_[1])) {
      header_size_ = header_bytes_;
      finish_header();
      return at;
    }
  }
  return at;
}

void FrameScanner::finish_header() noexcept {
  header_bytes_ = 0;
  close_bytes_ = 0;
  const unsigned char length = header_[1] & kLength;
  payload_left_ = length < kLength16    ? length
                  : length == kLength16 ? big_endian<2>(&header_[2])
                                        : big_endian<8>(&header_[2]);
  frame_bytes_ = header_size_ + payload_left_;
  if (payload_left_ >> 63 != 0) {
    lost_ = true;
    frame_bytes_ = header_size_ = 0;  // no bytes are a whole frame any more
  } else if (!measure_message()) {
    too_large_ = true;
    payload_left_ = 0;
  } else if (payload_left_ == 0) {
    finish_frame();
  }
}

// False if the frame whose header is whole makes its message larger than allowed.
bool FrameScanner::measure_message() noexcept {
  const unsigned char opcode = header_[0] & kOpcode;
  if (opcode >= kControl) return true;
  if (opcode != kContinuation) message_bytes_ = 0;
  if (payload_left_ > message_max_ - message_bytes_) return false;
  message_bytes_ += payload_left_;
  return true;
}

void FrameScanner::finish_frame() noexcept {
  const bool fin = (header_[0] & kFin) != 0;
  const unsigned char opcode = header_[0] & kOpcode;
  if (opcode < kControl) {
    in_message_ = !fin;
    if (fin) {
      ++messages_;
      message_bytes_ = 0;
    }
  } else if (opcode == kPing) {
    ++pings_;
  } else if (opcode == kPong) {
    ++pongs_;
  } else if (opcode == kClose && !closed_) {
    closed_ = true;
    close_code_ = close_bytes_ == 2 ? static_cast<uint16_t>(big_endian<2>(close_payload_.data()))
                                    : kCloseWithoutCode;
  }
}

FrameScanner::Piece FrameScanner::piece(std::string_view passed) const noexcept {
  Piece out;
  const unsigned char opcode = header_[0] & kOpcode;
  if (header_size_ == 0 || header_bytes_ != 0 || lost_ || opcode >= kControl) return out;
  const uint64_t so_far = frame_bytes_ - header_size_ - payload_left_;
  const size_t size = static_cast<size_t>(std::min<uint64_t>(so_far, passed.size()));
  out.payload = passed.substr(passed.size() - size);
  out.before = so_far - size;
  out.data = true;
  out.begins_message = opcode != kContinuation;
  out.ends_message = payload_left_ == 0 && (header_[0] & kFin) != 0;
  out.binary = opcode == kBinary;
  out.compressed = (header_[0] & kReserved) != 0;
  if ((header_[1] & kMasked) != 0) std::memcpy(&out.mask, &header_[header_size_ - 4], 4);
  return out;
}

void FrameScanner::take_close_payload(std::string_view payload) noexcept {
  const unsigned char second = header_[1];
  for (size_t i = 0; i < payload.size() && close_bytes_ < close_payload_.size(); ++i) {
    const unsigned char mask =
        (second & kMasked) != 0 ? header_[mask_offset(second) + close_bytes_] : 0;
    close_payload_[close_bytes_++] = static_cast<unsigned char>(payload[i]) ^ mask;
  }
}

}  // namespace kg::websocket
