// A relay whose gateway is lost: what is a gap, what is not, and how gaps end.
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "relay_fixture.h"

namespace kg::exchange::relay_gap_test {

constexpr unsigned kContinuation = 0x0;
constexpr unsigned kPing = 0x9;

const Error kLost{ErrorCode::kUpstreamLost, "", 0};

class RelayGap : public RelayTest {
 protected:
  RelayGap() { relay_->allow_gaps(GapEnd::kMended); }

  uint64_t ends(GapEnd how) const {
    return metrics_.websocket_gaps[static_cast<size_t>(how)].get();
  }
  // Says `code` and the row's words, and ends.
  void expect_goodbye(ErrorCode why, std::string_view before = "") {
    const ErrorRow& row = error_row(why);
    EXPECT_EQ(client_.written,
              std::string(before) +
                  websocket::close_frame(row.close_code,
                                         std::string(row.cause) + " " + std::string(row.remedy),
                                         websocket::Masking::kNone));
    EXPECT_TRUE(client_.finished);
    EXPECT_FALSE(relay_->in_gap());
    EXPECT_EQ(record_.error.code, why);
    EXPECT_EQ(record_.close_code, row.close_code);
    EXPECT_EQ(record_.closed_by, "proxy");
  }

  FakeStream second_;
};

TEST_F(RelayGap, TheClientNoticesNothing) {
  relay_->on_client_data(from_client("one"));
  relay_->on_upstream_data(from_gateway("a"));
  relay_->on_upstream_lost();
  EXPECT_TRUE(relay_->in_gap());
  EXPECT_EQ(gaps_began_, 1);
  relay_->on_client_data(from_client("two"));
  relay_->on_client_data(from_client("three"));
  now_us_ += 2'000'000;
  relay_->join(second_);
  relay_->on_client_data(from_client("four"));
  relay_->on_upstream_data(from_gateway("b"));
  EXPECT_EQ(upstream_.written, from_client("one"));
  EXPECT_EQ(second_.written, from_client("two") + from_client("three") + from_client("four"));
  EXPECT_EQ(client_.written, from_gateway("a") + from_gateway("b"));
  EXPECT_FALSE(client_.is_paused());
  EXPECT_EQ(ends(GapEnd::kMended), 1U);
  EXPECT_EQ(metrics_.websocket_messages_held.get(), 2U);
  EXPECT_EQ(metrics_.websocket_gap.sum_us(), 2'000'000U);
  EXPECT_EQ(record_.reconnects, 1U);
  EXPECT_EQ(record_.messages_in, 4U);
  EXPECT_EQ(record_.messages_out, 2U);
  EXPECT_EQ(record_.error.code, ErrorCode::kNone);
}

TEST_F(RelayGap, AnEndWithoutACloseIsALossAndOneWithItIsNot) {
  relay_->on_upstream_end();
  EXPECT_TRUE(relay_->in_gap());
  relay_->join(second_);
  relay_->on_upstream_data(gateway_close(1000));
  relay_->on_upstream_end();
  EXPECT_FALSE(relay_->in_gap());
  EXPECT_EQ(client_.written, gateway_close(1000));
  EXPECT_EQ(record_.close_code, 1000);
}

TEST_F(RelayGap, ACloseOfAGatewayThatGoesIsALossHoweverItsBytesCome) {
  for (const uint16_t code : std::initializer_list<uint16_t>{1001, 1011, 1012, 1013}) {
    const std::string bytes = from_gateway("a") + gateway_close(code);
    for (size_t split = 1; split < bytes.size(); ++split) {
      relay_.emplace(*this, client_, upstream_, record_, counters_, metrics_, settings_);
      relay_->allow_gaps(GapEnd::kMended);
      client_.written.clear();
      relay_->on_upstream_data(std::string_view(bytes).substr(0, split));
      ASSERT_FALSE(relay_->in_gap());
      relay_->on_upstream_data(std::string_view(bytes).substr(split));
      ASSERT_TRUE(relay_->in_gap()) << code << " " << split;
      ASSERT_EQ(client_.written, from_gateway("a"));
    }
  }
}

TEST_F(RelayGap, EveryOtherClosePassesHoweverItsBytesCome) {
  for (const uint16_t code :
       std::initializer_list<uint16_t>{1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 4001}) {
    const std::string bytes = from_gateway("a") + gateway_close(code) + "rest";
    for (size_t split = 1; split < bytes.size(); ++split) {
      relay_.emplace(*this, client_, upstream_, record_, counters_, metrics_, settings_);
      relay_->allow_gaps(GapEnd::kMended);
      client_.written.clear();
      relay_->on_upstream_data(std::string_view(bytes).substr(0, split));
      relay_->on_upstream_data(std::string_view(bytes).substr(split));
      ASSERT_FALSE(relay_->in_gap()) << code;
      ASSERT_EQ(client_.written, bytes) << code << " " << split;
    }
  }
}

TEST_F(RelayGap, ACloseWithoutACodeAndOnesThatAreNoneLawfulPass) {
  const std::string cases[] = {frame(kCloseOpcode, "", false), std::string("\x08\x02\x03\xe9", 4),
                               frame(kCloseOpcode, std::string(126, 'x'), false),
                               frame(kCloseOpcode, close_payload(1001), true)};
  for (const std::string& bytes : cases) {
    relay_.emplace(*this, client_, upstream_, record_, counters_, metrics_, settings_);
    relay_->allow_gaps(GapEnd::kMended);
    client_.written.clear();
    for (const char byte : bytes) relay_->on_upstream_data({&byte, 1});
    EXPECT_FALSE(relay_->in_gap());
    EXPECT_EQ(client_.written, bytes);
  }
}

TEST_F(RelayGap, OffMeansThatALossIsToldAtOnce) {
  relay_.emplace(*this, client_, upstream_, record_, counters_, metrics_, settings_);
  relay_->on_upstream_data(gateway_close(1001));
  EXPECT_EQ(client_.written, gateway_close(1001));
  relay_.emplace(*this, client_, upstream_, record_, counters_, metrics_, settings_);
  client_.written.clear();
  relay_->on_upstream_lost();
  EXPECT_EQ(client_.written, death_notice());
  EXPECT_EQ(gaps_began_, 0);
}

TEST_F(RelayGap, InsideAMessageToTheClientNothingIsRepaired) {
  std::string fragment = from_gateway("a");
  fragment[0] = 0x01;  // more fragments follow: a Close may stand here
  relay_->on_upstream_data(fragment);
  relay_->on_upstream_lost();
  const ErrorRow& row = error_row(ErrorCode::kUpstreamLost);
  EXPECT_EQ(client_.written, fragment + websocket::close_frame(row.close_code, row.cause,
                                                               websocket::Masking::kNone));
  EXPECT_EQ(row.close_code, 1012);
  EXPECT_EQ(ends(GapEnd::kInsideMessage), 1U);
  EXPECT_EQ(gaps_began_, 0);
}

TEST_F(RelayGap, InsideAFrameToTheClientNothingIsInjected) {
  relay_->on_upstream_data(from_gateway("abc").substr(0, 3));
  relay_->on_upstream_lost();
  EXPECT_EQ(client_.written, from_gateway("abc").substr(0, 3));
  EXPECT_TRUE(client_.finished);
  EXPECT_EQ(ends(GapEnd::kInsideMessage), 1U);
}

TEST_F(RelayGap, AMessagePartlyWrittenIsSaidAgainWhole) {
  const std::string whole = from_client("partly written");
  relay_->on_client_data(whole.substr(0, 9));
  relay_->on_upstream_lost();
  relay_->on_client_data(whole.substr(9) + from_client("next"));
  relay_->join(second_);
  EXPECT_EQ(second_.written, whole + from_client("next"));
  EXPECT_EQ(record_.messages_in, 2U);
}

TEST_F(RelayGap, WhatTheGatewaysSystemDidNotTakeIsSaidAgain) {
  relay_->on_client_data(from_client("taken"));
  upstream_.unsent_bytes = from_client("not taken").size();
  relay_->on_client_data(from_client("not taken"));
  upstream_.untaken = from_client("not taken");
  relay_->on_upstream_lost();
  relay_->join(second_);
  EXPECT_EQ(second_.written, from_client("not taken"));
}

TEST_F(RelayGap, WhatIsNotHeldWholeEndsItWith1012) {
  relay_->on_client_data(from_client("in one burst"));
  upstream_.untaken = "burst";
  relay_->on_upstream_lost();
  const ErrorRow& row = error_row(ErrorCode::kUpstreamLost);
  EXPECT_EQ(client_.written,
            websocket::close_frame(row.close_code, row.cause, websocket::Masking::kNone));
  EXPECT_EQ(ends(GapEnd::kUnheld), 1U);
  relay_->on_client_data(client_close(1012));
  relay_->on_client_end();
  EXPECT_EQ(ended_, 1);
}

TEST_F(RelayGap, AfterACloseOfTheClientsNothingIsRepaired) {
  relay_->on_client_data(client_close(1000));
  relay_->on_upstream_lost();
  EXPECT_FALSE(relay_->in_gap());
  EXPECT_TRUE(client_.finished);
  EXPECT_EQ(ends(GapEnd::kUnheld) + ends(GapEnd::kDropped), 0U);
}

TEST_F(RelayGap, ACloseThatTheClientSaysInItComesBehindItsMessages) {
  relay_->on_upstream_lost();
  relay_->on_client_data(from_client("last") + client_close(1000));
  EXPECT_TRUE(relay_->in_gap());
  relay_->join(second_);
  EXPECT_EQ(second_.written, from_client("last") + client_close(1000));
}

TEST_F(RelayGap, BeyondItsBoundTheClientIsNotReadUntilItsMessagesHaveGone) {
  relay_->on_upstream_lost();
  const std::string large = from_client(std::string(60'000, 'x'));
  relay_->on_client_data(large);
  EXPECT_FALSE(client_.is_paused());
  relay_->on_client_data(large);
  EXPECT_TRUE(client_.is_paused());
  second_.unsent_bytes = limits::kPendingBytesHigh + 1;  // slow from the first byte on
  relay_->join(second_);
  EXPECT_EQ(second_.written, "");
  EXPECT_TRUE(client_.is_paused());
  second_.unsent_bytes = 0;
  relay_->on_upstream_drained();
  EXPECT_EQ(second_.written, large + large);
  EXPECT_FALSE(client_.is_paused());
}

TEST_F(RelayGap, ASlowClientStillHoldsTheNewGatewayUp) {
  client_.unsent_bytes = limits::kPendingBytesHigh + 1;
  relay_->on_upstream_data(from_gateway("a"));
  EXPECT_TRUE(upstream_.is_paused());
  relay_->on_upstream_lost();
  relay_->join(second_);
  EXPECT_TRUE(second_.is_paused());
  relay_->on_client_drained();
  EXPECT_FALSE(second_.is_paused());
}

TEST_F(RelayGap, TheOwnerGivesUp) {
  relay_->on_upstream_lost();
  now_us_ += 500'000;
  relay_->give_up(kLost, GapEnd::kTimeout);
  expect_goodbye(ErrorCode::kUpstreamLost);
  EXPECT_EQ(ends(GapEnd::kTimeout), 1U);
  EXPECT_EQ(gaps_dropped_, 0);
  relay_->on_client_data(from_client("unheard") + client_close(1012));
  relay_->on_client_end();
  EXPECT_EQ(ended_, 1);
}

TEST_F(RelayGap, AClientThatDoesNotAnswerThenIsNotWaitedForLong) {
  relay_->on_upstream_lost();
  relay_->give_up(kLost, GapEnd::kTimeout);
  pass_time(limits::kHalfCloseMs);
  EXPECT_EQ(ended_, 1);
}

TEST_F(RelayGap, OursIsSaidInIt) {
  relay_->on_upstream_lost();
  relay_->say_in_gap(from_gateway("ours"));
  relay_->give_up({ErrorCode::kKernelGone, "", 0}, GapEnd::kDead);
  expect_goodbye(ErrorCode::kKernelGone, from_gateway("ours"));
  EXPECT_EQ(metrics_.notices_said.get(), 1U);
}

TEST_F(RelayGap, ADrainEndsIt) {
  relay_->on_upstream_lost();
  relay_->close(ErrorCode::kDraining);
  expect_goodbye(ErrorCode::kDraining);
  EXPECT_EQ(gaps_dropped_, 1);
  EXPECT_EQ(ends(GapEnd::kDropped), 1U);
}

TEST_F(RelayGap, WhoLosesItsSessionInItIsNotHeardAnyMore) {
  relay_->on_upstream_lost();
  relay_->on_client_data(from_client("still heard"));
  relay_->expel(ErrorCode::kSessionRevoked);
  expect_goodbye(ErrorCode::kSessionRevoked);
  EXPECT_EQ(gaps_dropped_, 1);
  const uint64_t before = record_.messages_in;
  relay_->on_client_data(from_client("unheard"));
  EXPECT_EQ(record_.messages_in, before);
}

TEST_F(RelayGap, TheClientsEndEndsIt) {
  relay_->on_upstream_lost();
  relay_->on_client_end();
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(gaps_dropped_, 1);
  EXPECT_EQ(ends(GapEnd::kDropped), 1U);
  EXPECT_EQ(record_.closed_by, "client");
}

TEST_F(RelayGap, AMessageThatIsTooLargeEndsIt) {
  settings_.message_bytes_max = 100;
  relay_.emplace(*this, client_, upstream_, record_, counters_, metrics_, settings_);
  relay_->allow_gaps(GapEnd::kMended);
  relay_->on_upstream_lost();
  relay_->on_client_data(from_client(std::string(101, 'x')));
  expect_goodbye(ErrorCode::kMessageTooLarge);
  EXPECT_EQ(gaps_dropped_, 1);
}

TEST_F(RelayGap, TheClientIsAskedInItAndTheGatewayIsNot) {
  pass_time(settings_.ping_after_ms);  // both are asked now
  const std::string asked = upstream_.written;
  EXPECT_EQ(asked.size(), 14U);
  relay_->on_upstream_lost();
  EXPECT_TRUE(relay_->in_gap());
  pass_time(settings_.client_dead_after_ms - settings_.ping_after_ms);
  EXPECT_TRUE(client_died_);
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(gaps_dropped_, 1);
  EXPECT_EQ(upstream_.written, asked);
  EXPECT_EQ(record_.error.code, ErrorCode::kClientSilent);
}

TEST_F(RelayGap, ASilentGatewayIsNoLossButItsSuccessorHasItsTime) {
  relay_->on_upstream_lost();
  pass_time(settings_.ping_after_ms - 1'000);
  relay_->join(second_);
  pass_time(settings_.ping_after_ms - 1'000);
  EXPECT_EQ(second_.written, "") << "not asked yet";
  for (uint64_t passed = 0; record_.error.code == ErrorCode::kNone; passed += 1'000) {
    ASSERT_LE(passed, settings_.gateway_dead_after_ms + 1'000);
    pass_time(1'000);
    relay_->on_client_data(from_client("."));
  }
  EXPECT_EQ(record_.error.code, ErrorCode::kUpstreamSilent);
  EXPECT_EQ(gaps_began_, 1);
}

TEST_F(RelayGap, PongsOfTheGatewayBeforeAreNotAwaited) {
  pass_time(settings_.ping_after_ms);
  relay_->on_upstream_data(std::string("\x8a\x08", 2));  // the beginning of what may be its pong
  EXPECT_TRUE(client_.written.size() == 10U) << "the client's ping alone";
  relay_->on_upstream_lost();
  relay_->join(second_);
  relay_->on_upstream_data(from_gateway("a"));
  EXPECT_EQ(client_.written.substr(10), from_gateway("a"));
}

TEST_F(RelayGap, OursAreNotSaidAgain) {
  pass_time(settings_.ping_after_ms);
  ASSERT_EQ(upstream_.written.size(), 14U);
  upstream_.untaken = upstream_.written;
  relay_->on_upstream_lost();
  relay_->join(second_);
  EXPECT_EQ(second_.written, "");
}

TEST_F(RelayGap, FragmentsOfTheClientAreOneMessage) {
  std::string first = from_client("first");
  first[0] = 0x01;
  const std::string ping = frame(kPing, "p", true);
  const std::string last = frame(kContinuation, "last", true);
  relay_->on_client_data(first + ping);
  relay_->on_upstream_lost();
  relay_->on_client_data(last);
  relay_->join(second_);
  EXPECT_EQ(second_.written, first + ping + last);
}

TEST_F(RelayGap, CompressedOnesHaveNone) {
  relay_.emplace(*this, client_, upstream_, record_, counters_, metrics_, settings_);
  relay_->allow_gaps(GapEnd::kExtension);
  relay_->on_upstream_lost();
  EXPECT_FALSE(relay_->in_gap());
  EXPECT_EQ(record_.error.code, ErrorCode::kUpstreamLost);
  EXPECT_EQ(ends(GapEnd::kExtension), 1U);
}

}  // namespace kg::exchange::relay_gap_test
