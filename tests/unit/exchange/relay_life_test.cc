// A relay's pings, what it makes of silence, and messages that are too large.
#include <gmock/gmock.h>

#include <utility>

#include "relay_fixture.h"

namespace kg::exchange::relay_life_test {

using metrics::kFromClient;
using metrics::kFromUpstream;

constexpr unsigned kPing = 0x9;
constexpr unsigned kPong = 0xa;

class RelayLife : public RelayTest {
 protected:
  // The payload of the only thing that was written: a ping.
  static std::string ping_payload(FakeStream& stream, bool masked) {
    const std::string bytes = std::exchange(stream.written, {});
    if (bytes.size() != (masked ? 14U : 10U)) {
      ADD_FAILURE() << "no single ping of 8 bytes: " << bytes.size();
      return "";
    }
    EXPECT_EQ(static_cast<unsigned char>(bytes[0]), 0x80 | kPing);
    EXPECT_EQ(static_cast<unsigned char>(bytes[1]), masked ? 0x88 : 0x08);
    std::string payload = bytes.substr(masked ? 6 : 2);
    for (size_t i = 0; masked && i < payload.size(); ++i) {
      payload[i] = static_cast<char>(payload[i] ^ bytes[2 + i % 4]);
    }
    return payload;
  }
  // The clock goes on while the gateway talks.
  void pass_time_with_gateway_talking(uint64_t milliseconds) {
    for (uint64_t passed = 0; passed < milliseconds; passed += 1'000) {
      pass_time(1'000);
      relay_->on_upstream_data(from_gateway("."));
    }
  }
  void pass_time_with_client_talking(uint64_t milliseconds) {
    for (uint64_t passed = 0; passed < milliseconds; passed += 1'000) {
      pass_time(1'000);
      relay_->on_client_data(from_client("."));
    }
  }
};

TEST_F(RelayLife, TheSilentAreAskedAndTheAnswerIsTakenOut) {
  pass_time(24'999);
  EXPECT_EQ(client_.written + upstream_.written, "");
  pass_time(1);
  const std::string to_client = ping_payload(client_, false);
  const std::string to_gateway = ping_payload(upstream_, true);
  pass_time(3);
  relay_->on_client_data(frame(kPong, to_client, true));
  relay_->on_upstream_data(frame(kPong, to_gateway, false));
  EXPECT_EQ(client_.written + upstream_.written, "");
  EXPECT_EQ(metrics_.websocket_pings[kFromClient].get(), 1U);
  EXPECT_EQ(metrics_.websocket_pings[kFromUpstream].get(), 1U);
  EXPECT_EQ(metrics_.websocket_ping[kFromClient].sum_us(), 3'000U);
  EXPECT_EQ(record_.bytes_in + record_.bytes_out, 0U) << "nothing of the peers passed";
  pass_time(24'996);
  EXPECT_EQ(client_.written + upstream_.written, "");
  pass_time(10);
  EXPECT_NE(ping_payload(client_, false), to_client) << "each ping is told from the last one";
}

TEST_F(RelayLife, ADeadClientIsSaidToTheGateway) {
  upstream_.pause(event::Pause::kPeerSlow);
  pass_time_with_gateway_talking(74'000);
  EXPECT_FALSE(relay_->ending());
  upstream_.written.clear();
  pass_time_with_gateway_talking(1'000);
  const ErrorRow& row = error_row(ErrorCode::kClientSilent);
  EXPECT_EQ(masked_close_text(upstream_.written), "1001 " + std::string(row.cause));
  EXPECT_TRUE(upstream_.finished);
  EXPECT_FALSE(upstream_.is_paused()) << "nobody is left who would open it";
  EXPECT_TRUE(client_died_) << "its connection is cut";
  EXPECT_EQ(deadline_ms_, limits::kHalfCloseMs);
  client_.written.clear();
  relay_->on_upstream_data(from_gateway("too late"));
  EXPECT_EQ(client_.written, "");
  relay_->on_upstream_end();
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(record_.closed_by, "proxy");
  EXPECT_EQ(record_.close_code, 1001);
  EXPECT_EQ(record_.error.code, ErrorCode::kClientSilent);
}

TEST_F(RelayLife, ADeadGatewayIsSaidToTheClient) {
  pass_time_with_client_talking(149'000);
  EXPECT_FALSE(relay_->ending());
  client_.written.clear();
  pass_time_with_client_talking(1'000);
  const ErrorRow& row = error_row(ErrorCode::kUpstreamSilent);
  EXPECT_EQ(client_.written, websocket::close_frame(1011, row.cause, websocket::Masking::kNone));
  EXPECT_TRUE(client_.finished);
  const std::string before = upstream_.written;
  relay_->on_client_data(client_close(1011));
  EXPECT_EQ(upstream_.written, before) << "nobody reads there";
  relay_->on_client_end();
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(record_.closed_by, "proxy");
  EXPECT_EQ(record_.error.code, ErrorCode::kUpstreamSilent);
}

TEST_F(RelayLife, WhoReadsSlowlyLivesAsLongAsItReads) {
  client_.delivered.held_back = true;  // all of it in the system's buffer, none in ours
  for (int i = 0; i < 10; ++i) {
    client_.delivered.acknowledged += 100;
    pass_time_with_gateway_talking(20'000);
  }
  EXPECT_FALSE(relay_->ending());
  EXPECT_EQ(metrics_.websocket_pings[kFromClient].get(), 0U) << "it would wait behind the rest";
  pass_time_with_gateway_talking(110'000);
  EXPECT_TRUE(client_died_) << "it stopped reading";
}

TEST_F(RelayLife, WhoIsNotReadIsNotJudged) {
  upstream_.unsent_bytes = limits::kPendingBytesHigh + 1;
  relay_->on_client_data(from_client("x"));
  ASSERT_TRUE(client_.is_paused());
  pass_time_with_gateway_talking(200'000);
  EXPECT_FALSE(relay_->ending());
  EXPECT_EQ(metrics_.websocket_pings[kFromClient].get(), 0U);
  upstream_.unsent_bytes = 0;
  relay_->on_upstream_drained();
  pass_time_with_gateway_talking(24'000);
  EXPECT_EQ(metrics_.websocket_pings[kFromClient].get(), 0U) << "its silence begins now";
  pass_time_with_gateway_talking(1'000);
  EXPECT_EQ(metrics_.websocket_pings[kFromClient].get(), 1U);
}

TEST_F(RelayLife, WhoTakesBytesLives) {
  pass_time_with_gateway_talking(60'000);
  client_.unsent_bytes = 1;
  client_.progress_us = now_us_;
  pass_time_with_gateway_talking(74'000);
  EXPECT_FALSE(relay_->ending());
  pass_time_with_gateway_talking(2'000);
  EXPECT_TRUE(relay_->ending()) << "but not who stopped taking them";
}

TEST_F(RelayLife, APingOfTheOtherEndIsEnoughAndItsPongPasses) {
  pass_time(20'000);
  relay_->on_upstream_data(frame(kPing, "theirs", false));
  client_.written.clear();
  pass_time_with_gateway_talking(30'000);
  EXPECT_EQ(metrics_.websocket_pings[kFromClient].get(), 0U);
  relay_->on_client_data(frame(kPong, "theirs", true));
  EXPECT_EQ(upstream_.written, frame(kPong, "theirs", true));
  pass_time_with_gateway_talking(25'000);
  EXPECT_EQ(metrics_.websocket_pings[kFromClient].get(), 1U);
}

TEST_F(RelayLife, APingWaitsForTheEndOfAFrame) {
  const std::string whole = from_gateway("output");
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    pass_time(1'000);
    client_.written.clear();
    relay_->on_upstream_data(std::string_view(whole).substr(0, cut));
    pass_time(40'000);
    EXPECT_EQ(client_.written, whole.substr(0, cut)) << "inside a frame nothing is injected";
    relay_->on_upstream_data(std::string_view(whole).substr(cut));
    EXPECT_EQ(client_.written, whole);
    client_.written.clear();
    pass_time(limits::kPingRetryMs);
    const std::string payload = ping_payload(client_, false);
    relay_->on_client_data(frame(kPong, payload, true));
  }
}

TEST_F(RelayLife, NothingIsInjectedWhereFramesAreLost) {
  const std::string lost("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10);
  relay_->on_client_data(lost);
  ASSERT_TRUE(relay_->scan_lost());
  upstream_.written.clear();
  pass_time(1'000'000);
  EXPECT_EQ(client_.written + upstream_.written, "");
  EXPECT_FALSE(relay_->ending());
}

TEST_F(RelayLife, NothingFollowsACloseButItIsAQuestion) {
  relay_->on_client_data(client_close(1000));
  upstream_.written.clear();
  pass_time(149'000);
  EXPECT_EQ(upstream_.written + client_.written, "");
  EXPECT_FALSE(relay_->ending());
  pass_time(2'000);
  EXPECT_TRUE(relay_->ending());
  EXPECT_EQ(record_.error.code, ErrorCode::kUpstreamSilent);
  EXPECT_EQ(record_.close_code, 1000) << "of the Close that went first";
}

TEST_F(RelayLife, PartOfAPongAtTheEndIsPassedOn) {
  pass_time(25'000);
  const std::string pong = frame(kPong, ping_payload(client_, false), true);
  upstream_.written.clear();
  relay_->on_client_data(std::string_view(pong).substr(0, 5));
  EXPECT_EQ(upstream_.written, "") << "held: it may be ours";
  relay_->on_client_end();
  EXPECT_EQ(upstream_.written, pong.substr(0, 5));
}

TEST_F(RelayLife, ATooLargeMessageEndsBothSides) {
  settings_.message_bytes_max = 5;
  Relay relay(*this, client_, upstream_, record_, counters_, metrics_, settings_);
  relay.on_client_data(from_client("12345") + from_client("123456") + from_client("x"));
  EXPECT_EQ(upstream_.written.substr(0, 11), from_client("12345"));
  EXPECT_EQ(masked_close_text(upstream_.written.substr(11)), farewell_to_gateway());
  EXPECT_TRUE(upstream_.finished);
  EXPECT_EQ(client_.written.substr(2, 2), close_payload(1009));
  EXPECT_EQ(deadline_ms_, limits::kCloseReplyMs);
  EXPECT_EQ(record_.error.code, ErrorCode::kMessageTooLarge);
  relay.on_upstream_end();
  EXPECT_EQ(ended_, 1);
}

TEST_F(RelayLife, ATooLargeMessageOfTheGatewayEndsBothSides) {
  settings_.message_bytes_max = 5;
  Relay relay(*this, client_, upstream_, record_, counters_, metrics_, settings_);
  relay.on_upstream_data(from_gateway("123456"));
  const ErrorRow& row = error_row(ErrorCode::kUpstreamMessageTooLarge);
  EXPECT_EQ(client_.written, websocket::close_frame(1011, row.cause, websocket::Masking::kNone));
  EXPECT_TRUE(client_.finished);
  EXPECT_THAT(masked_close_text(upstream_.written), testing::StartsWith("1009 "));
  EXPECT_TRUE(upstream_.finished);
  relay.on_client_end();
  EXPECT_EQ(ended_, 1);
}

}  // namespace kg::exchange::relay_life_test
