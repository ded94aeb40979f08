// A Relay between two streams that only remember, and frames to send through it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/limits.h"
#include "proxy/exchange/relay.h"
#include "proxy/websocket/control_frame.h"

namespace kg::exchange {

class FakeStream final : public event::Stream {
 public:
  void write(std::string_view bytes) override {
    EXPECT_FALSE(finished) << "bytes after the end: " << bytes.size();
    written.append(bytes);
  }
  size_t unsent() const noexcept override { return unsent_bytes; }
  void pause(event::Pause reason) noexcept override { gate |= static_cast<unsigned>(reason); }
  void resume(event::Pause reason) noexcept override { gate &= ~static_cast<unsigned>(reason); }
  void finish() override { finished = true; }
  void close() noexcept override { closed = true; }
  std::optional<std::string> take_back() override { return untaken; }
  event::Delivery delivery() const noexcept override { return delivered; }
  uint64_t last_progress_us() const noexcept override { return progress_us; }
  bool is_paused() const noexcept { return gate != 0; }

  std::string written;
  std::optional<std::string> untaken{""};  // what take_back() says
  size_t unsent_bytes = 0;
  uint64_t progress_us = 0;
  event::Delivery delivered{};
  unsigned gate = 0;
  bool finished = false;
  bool closed = false;
};

inline constexpr unsigned kText = 0x1;
inline constexpr unsigned kCloseOpcode = 0x8;

// One whole frame with an "extended" length where the payload needs it (RFC 6455 section 5.2).
inline std::string frame(unsigned opcode, std::string_view payload, bool masked) {
  std::string out(1, static_cast<char>(0x80 | opcode));
  const unsigned mask_bit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    out += static_cast<char>(mask_bit | payload.size());
  } else {
    out += static_cast<char>(mask_bit | 126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size() & 0xff);
  }
  if (masked) out.append(4, '\0');  // a key of zeros leaves the payload readable
  return out.append(payload);
}
inline std::string close_payload(uint16_t code) {
  return {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
}
inline std::string from_client(std::string_view text) { return frame(kText, text, true); }
inline std::string from_gateway(std::string_view text) { return frame(kText, text, false); }
inline std::string client_close(uint16_t code) {
  return frame(kCloseOpcode, close_payload(code), true);
}
inline std::string gateway_close(uint16_t code) {
  return frame(kCloseOpcode, close_payload(code), false);
}

// "CODE REASON" of a single masked Close frame, "" if `bytes` is anything else.
inline std::string masked_close_text(std::string_view bytes) {
  if (bytes.size() < 8 || static_cast<unsigned char>(bytes[0]) != 0x88) return "";
  const size_t size = static_cast<unsigned char>(bytes[1]) & 0x7f;
  if ((static_cast<unsigned char>(bytes[1]) & 0x80) == 0 || bytes.size() != 6 + size) return "";
  std::string plain;
  for (size_t i = 0; i < size; ++i) {
    plain += static_cast<char>(bytes[6 + i] ^ bytes[2 + i % 4]);
  }
  const unsigned code =
      static_cast<unsigned char>(plain[0]) * 256U + static_cast<unsigned char>(plain[1]);
  return std::to_string(code) + " " + plain.substr(2);
}

class RelayTest : public testing::Test, public RelayOwner {
 protected:
  uint64_t relay_now_us() noexcept override { return now_us_; }
  void set_relay_deadline(uint64_t milliseconds) override { deadline_ms_ = milliseconds; }
  void relay_client_died() override { client_died_ = true; }
  void relay_heard(std::string_view frames) override { heard_.emplace_back(frames); }
  void relay_gap_began() override { ++gaps_began_; }
  void relay_gap_dropped() override { ++gaps_dropped_; }
  void relay_ended() override { ++ended_; }

  void expect_record(std::string_view closed_by, uint16_t code, ErrorCode error) {
    EXPECT_EQ(record_.closed_by, closed_by);
    EXPECT_EQ(record_.close_code, code);
    EXPECT_EQ(record_.error.code, error);
  }

  // The clock goes on; the relay's deadline fires on the way as often as it falls due.
  void pass_time(uint64_t milliseconds) {
    const uint64_t end_us = now_us_ + milliseconds * 1'000;
    while (ended_ == 0 && now_us_ + deadline_ms_ * 1'000 <= end_us) {
      now_us_ += deadline_ms_ * 1'000;
      relay_->on_deadline();
    }
    // What is left of the deadline, as the lazy timer would have it.
    if (now_us_ < end_us) deadline_ms_ -= (end_us - now_us_) / 1'000;
    now_us_ = end_us;
  }

  static std::string death_notice() {
    const ErrorRow& row = error_row(ErrorCode::kUpstreamGone);
    return websocket::close_frame(row.close_code, row.cause, websocket::Masking::kNone);
  }
  static std::string drain_notice() {
    const ErrorRow& row = error_row(ErrorCode::kDraining);
    return websocket::close_frame(row.close_code,
                                  std::string(row.cause) + " " + std::string(row.remedy),
                                  websocket::Masking::kNone);
  }
  static std::string drain_notice_to_gateway() {
    return "1012 " + std::string(error_row(ErrorCode::kDraining).cause);
  }
  static std::string farewell_to_gateway() {
    return "1001 " + std::string(error_row(ErrorCode::kClientGone).cause);
  }

  FakeStream client_;
  FakeStream upstream_;
  ExchangeRecord record_;
  metrics::EndpointMetrics counters_;
  metrics::WorkerMetrics metrics_{1};
  WebSocketSettings settings_;
  uint64_t now_us_ = 1'000'000;
  uint64_t deadline_ms_ = 0;  // the last one that the relay asked for
  bool client_died_ = false;
  std::vector<std::string> heard_;
  int gaps_began_ = 0;
  int gaps_dropped_ = 0;
  int ended_ = 0;
  std::optional<Relay> relay_{std::in_place, *this,     client_,  upstream_,
                              record_,       counters_, metrics_, settings_};
};

}  // namespace kg::exchange
