// How a relay ends a WebSocket that could go on: the gateway first, and then the client.
#include "relay_fixture.h"

namespace kg::exchange::relay_parting_test {

class RelayParting : public RelayTest {
 protected:
  // The gateway has heard our Close once, and nothing behind it.
  void expect_told_gateway() {
    EXPECT_EQ(masked_close_text(upstream_.written), drain_notice_to_gateway());
  }
  uint64_t untaken() { return metrics_.websocket_messages_untaken.get(); }
};

TEST_F(RelayParting, WhatTheGatewaySaysUntilItsCloseArrives) {
  relay_->close(ErrorCode::kDraining);
  EXPECT_TRUE(relay_->ending());
  expect_told_gateway();
  EXPECT_FALSE(upstream_.finished);
  EXPECT_EQ(client_.written, "") << "it would hear nothing more";
  EXPECT_EQ(deadline_ms_, limits::kPartingMs);
  const std::string all = from_gateway("one") + from_gateway("two") + gateway_close(1012);
  for (const char byte : all) relay_->on_upstream_data({&byte, 1});
  EXPECT_EQ(client_.written, from_gateway("one") + from_gateway("two") + drain_notice());
  EXPECT_TRUE(client_.finished);
  EXPECT_TRUE(upstream_.finished);
  EXPECT_EQ(deadline_ms_, limits::kCloseReplyMs);
  EXPECT_EQ(record_.messages_out, 2U);

  relay_->on_upstream_end();
  relay_->on_client_data(client_close(1012));
  EXPECT_EQ(ended_, 0);
  relay_->on_client_end();
  EXPECT_EQ(ended_, 1);
  expect_told_gateway();
  expect_record("proxy", 1012, ErrorCode::kDraining);
}

TEST_F(RelayParting, AGatewayThatJustEndsHasSaidAllToo) {
  relay_->allow_gaps(GapEnd::kMended);
  relay_->close(ErrorCode::kDraining);
  relay_->on_upstream_data(from_gateway("last"));
  relay_->on_upstream_lost();
  EXPECT_EQ(gaps_began_, 0);
  EXPECT_EQ(client_.written, from_gateway("last") + drain_notice());
  relay_->on_client_end();
  EXPECT_EQ(ended_, 1);
  expect_record("proxy", 1012, ErrorCode::kDraining);
}

TEST_F(RelayParting, AGatewayThatEndsInsideAFrameLeavesNoPlaceForAClose) {
  const std::string part = from_gateway("output").substr(0, 4);
  relay_->close(ErrorCode::kDraining);
  relay_->on_upstream_data(part);
  relay_->on_upstream_end();
  EXPECT_EQ(client_.written, part);
  EXPECT_TRUE(client_.finished);
  EXPECT_EQ(deadline_ms_, limits::kHalfCloseMs);
  expect_record("proxy", 1012, ErrorCode::kDraining);
}

TEST_F(RelayParting, AGatewayThatDoesNotAnswerIsNotWaitedFor) {
  relay_->close(ErrorCode::kDraining);
  pass_time(limits::kPartingMs - 1);
  EXPECT_EQ(client_.written, "");
  pass_time(1);
  EXPECT_EQ(client_.written, drain_notice());
  EXPECT_TRUE(client_.finished);
  relay_->on_upstream_data(from_gateway("too late"));
  EXPECT_EQ(client_.written, drain_notice()) << "nothing after a Close";
  relay_->on_client_end();
  expect_told_gateway();
  EXPECT_TRUE(upstream_.finished);
  relay_->on_upstream_end();
  EXPECT_EQ(ended_, 1);
  expect_record("proxy", 1012, ErrorCode::kDraining);
}

TEST_F(RelayParting, AFrameThatStillRunsThenIsFinished) {
  const std::string whole = from_gateway("output");
  relay_->on_upstream_data(std::string_view(whole).substr(0, 3));
  relay_->close(ErrorCode::kDraining);
  pass_time(limits::kPartingMs);
  EXPECT_EQ(client_.written, whole.substr(0, 3));
  EXPECT_EQ(deadline_ms_, limits::kCloseBoundaryMs);
  relay_->on_upstream_data(whole.substr(3) + from_gateway("the next one"));
  EXPECT_EQ(client_.written, whole + drain_notice());
  EXPECT_EQ(deadline_ms_, limits::kCloseReplyMs);
  EXPECT_EQ(record_.bytes_out, whole.size());
  EXPECT_EQ(counters_.bytes[metrics::kFromUpstream].get(), whole.size());
  EXPECT_EQ(counters_.messages[metrics::kFromUpstream].get(), 1U);
}

TEST_F(RelayParting, AFrameThatNeverEndsDoesNotHoldADrain) {
  const std::string part = from_gateway("output").substr(0, 4);
  relay_->on_upstream_data(part);
  relay_->close(ErrorCode::kDraining);
  pass_time(limits::kPartingMs + limits::kCloseBoundaryMs);
  EXPECT_EQ(client_.written, part);
  EXPECT_TRUE(client_.finished);
  expect_told_gateway();
  EXPECT_TRUE(upstream_.finished);
  EXPECT_EQ(ended_, 1);
  expect_record("proxy", 1012, ErrorCode::kDraining);
}

TEST_F(RelayParting, NobodyWhoKeepsSilentHoldsADrain) {
  relay_->close(ErrorCode::kDraining);
  pass_time(limits::kPartingMs + limits::kCloseReplyMs);
  EXPECT_EQ(client_.written, drain_notice());
  expect_told_gateway();
  EXPECT_TRUE(upstream_.finished);
  EXPECT_EQ(ended_, 1);
}

TEST_F(RelayParting, AMessageThatTheClientBeganGoesUpFirst) {
  const std::string first = from_client("one");
  const std::string second = from_client("two");
  relay_->on_client_data(std::string_view(first).substr(0, 4));
  relay_->close(ErrorCode::kDraining);
  EXPECT_EQ(upstream_.written, first.substr(0, 4));
  relay_->on_client_data(first.substr(4) + second.substr(0, 4));
  EXPECT_EQ(upstream_.written, first + second.substr(0, 4));
  relay_->on_client_data(second.substr(4));
  EXPECT_EQ(masked_close_text(upstream_.written.substr(first.size() + second.size())),
            drain_notice_to_gateway());
  EXPECT_EQ(untaken(), 0U);
  EXPECT_EQ(record_.messages_in, 2U);
}

TEST_F(RelayParting, AClientsMessageWithoutEndHasTheClientToldFirst) {
  const std::string message = from_client("without an end");
  relay_->on_client_data(std::string_view(message).substr(0, 9));
  relay_->close(ErrorCode::kDraining);
  pass_time(limits::kPartingMs);
  EXPECT_EQ(upstream_.written, message.substr(0, 9)) << "a Close here would be part of the frame";
  EXPECT_EQ(client_.written, drain_notice());
  relay_->on_client_data(message.substr(9) + client_close(1012));
  EXPECT_EQ(upstream_.written, message + client_close(1012)) << "its answer ends the other side";
  relay_->on_client_end();
  relay_->on_upstream_end();
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(untaken(), 0U);
}

TEST_F(RelayParting, WhatTheClientSaysBehindOurCloseIsCountedAndGoesNowhere) {
  relay_->close(ErrorCode::kDraining);
  relay_->on_client_data(from_client("one"));
  EXPECT_EQ(untaken(), 1U);
  relay_->on_upstream_data(gateway_close(1012));
  relay_->on_client_data(from_client("two") + client_close(1012));
  EXPECT_EQ(untaken(), 2U);
  expect_told_gateway();
  EXPECT_EQ(record_.messages_in, 2U);
  EXPECT_EQ(record_.bytes_in,
            from_client("one").size() + from_client("two").size() + client_close(1012).size());
}

TEST_F(RelayParting, AClientThatEndsHasNothingToBeTold) {
  relay_->close(ErrorCode::kDraining);
  relay_->on_client_end();
  expect_told_gateway();
  EXPECT_TRUE(upstream_.finished);
  relay_->on_upstream_data(from_gateway("late") + gateway_close(1012));
  EXPECT_EQ(client_.written, from_gateway("late") + gateway_close(1012));
  relay_->on_upstream_end();
  EXPECT_EQ(ended_, 1);
}

TEST_F(RelayParting, AGatewaysOwnCloseIsAnswered) {
  std::string begun = from_client("one");
  begun[0] = kText;  // more fragments follow, so ours waits
  relay_->on_client_data(begun);
  relay_->close(ErrorCode::kDraining);
  EXPECT_EQ(upstream_.written, begun);
  relay_->on_upstream_data(gateway_close(1001));
  EXPECT_EQ(masked_close_text(upstream_.written.substr(begun.size())), drain_notice_to_gateway());
  EXPECT_EQ(client_.written, drain_notice());
  EXPECT_TRUE(upstream_.finished);
}

TEST_F(RelayParting, AMessageThatIsTooLargeEndsItAtOnce) {
  for (const bool of_gateway : {true, false}) {
    FakeStream client;
    FakeStream upstream;
    ExchangeRecord record;
    settings_.message_bytes_max = 8;
    Relay relay(*this, client, upstream, record, counters_, metrics_, settings_);
    std::string begun = from_client("one");
    begun[0] = kText;  // so that our Close waits, and a message of the client's still counts
    relay.on_client_data(begun);
    relay.close(ErrorCode::kDraining);
    const std::string large(9, 'x');
    if (of_gateway) {
      relay.on_upstream_data(from_gateway(large));
    } else {
      relay.on_client_data(from_client(large));
    }
    EXPECT_TRUE(upstream.finished);
    const std::string told = client.written;
    EXPECT_NE(told, "");
    relay.on_deadline();
    EXPECT_EQ(client.written, told) << "nothing after a Close";
  }
  EXPECT_EQ(ended_, 2);
}

TEST_F(RelayParting, CloseCountsOnce) {
  relay_->close(ErrorCode::kDraining);
  relay_->close(ErrorCode::kInternal);
  expect_told_gateway();
  pass_time(limits::kPartingMs);
  relay_->close(ErrorCode::kInternal);
  EXPECT_EQ(client_.written, drain_notice());
  EXPECT_EQ(record_.error.code, ErrorCode::kDraining);
}

}  // namespace kg::exchange::relay_parting_test
