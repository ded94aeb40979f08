#include "proxy/websocket/pong_filter.h"

#include <cstring>

#include "proxy/base/crypto.h"

namespace kg::websocket {
namespace {

constexpr unsigned char kFinPong = 0x8a;
constexpr unsigned char kMaskBit = 0x80;
constexpr size_t kPayloadBytes = 8;

}  // namespace

std::array<char, 8> PongFilter::next_ping() {
  if (sent_ == 0) crypto::random_bytes(&nonce_, sizeof nonce_);
  const uint64_t value = nonce_ + ++sent_;
  std::array<char, 8> payload{};
  std::memcpy(payload.data(), &value, sizeof value);
  return payload;
}

PongFilter::Step PongFilter::next(std::string_view bytes, FrameScanner& scanner) {
  // Other frames go on as they come: their headers must not be torn for nothing.
  const bool may_begin = static_cast<unsigned char>(bytes[0]) == kFinPong && scanner.at_boundary();
  if (held_bytes_ == 0 && !may_begin) {
    const size_t used = scanner.scan_frame(bytes);
    return {used, bytes.substr(0, used), false};
  }
  Step step;
  while (may_be_pong()) {
    if (held_bytes_ == pong_size()) {
      if (!is_ours(step.newest)) break;
      held_bytes_ = 0;
      return step;
    }
    if (step.used == bytes.size()) return step;
    held_[held_bytes_++] = static_cast<unsigned char>(bytes[step.used++]);
  }
  step.pass = take_held();
  scanner.scan_frame(step.pass);
  return step;
}

std::string_view PongFilter::take_held() noexcept {
  const size_t size = held_bytes_;
  held_bytes_ = 0;
  return {reinterpret_cast<const char*>(held_.data()), size};
}

bool PongFilter::may_be_pong() const noexcept {
  const unsigned char second = kPayloadBytes | (masking_ == Masking::kNone ? 0 : kMaskBit);
  return (held_bytes_ < 1 || held_[0] == kFinPong) && (held_bytes_ < 2 || held_[1] == second);
}

// A whole pong with 8 bytes is held. An answer settles the older pings too: a peer may answer the
// newest alone.
bool PongFilter::is_ours(bool& newest) noexcept {
  std::array<unsigned char, kPayloadBytes> plain{};
  const size_t begin = pong_size() - kPayloadBytes;
  for (size_t i = 0; i < plain.size(); ++i) {
    const unsigned char mask = masking_ == Masking::kNone ? 0 : held_[2 + i % 4];
    plain[i] = held_[begin + i] ^ mask;
  }
  uint64_t value = 0;
  std::memcpy(&value, plain.data(), sizeof value);
  const uint64_t number = value - nonce_;
  if (number <= answered_ || number > sent_) return false;
  answered_ = number;
  newest = answered_ == sent_;
  return true;
}

}  // namespace kg::websocket
