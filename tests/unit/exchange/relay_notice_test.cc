// What a relay says itself to the client: notices between messages; and who may not go on.
#include <gtest/gtest.h>

#include "proxy/websocket/message_frame.h"
#include "relay_fixture.h"

namespace kg::exchange::relay_notice_test {

constexpr unsigned kContinuation = 0x0;
constexpr unsigned kPong = 0xa;

std::string notice(std::string_view text = "notice") {
  return websocket::message_frame(websocket::MessageKind::kText, text);
}
std::string unfinished(std::string whole) {
  whole[0] = static_cast<char>(whole[0] & 0x7f);
  return whole;
}

class RelayNotice : public RelayTest {
 protected:
  uint64_t said() const { return metrics_.notices_said.get(); }
  uint64_t unsaid() const { return metrics_.notices_unsaid.get(); }
  void tear_down_relay() { relay_.reset(); }
};

TEST_F(RelayNotice, IsSaidAtOnceBetweenTwoMessages) {
  relay_->on_upstream_data(from_gateway("one"));
  relay_->say(notice());
  relay_->on_upstream_data(from_gateway("two"));
  EXPECT_EQ(client_.written, from_gateway("one") + notice() + from_gateway("two"));
  EXPECT_EQ(said(), 1U);
  EXPECT_EQ(counters_.messages[metrics::kFromUpstream].get(), 2U) << "the gateway's own";
}

TEST_F(RelayNotice, WaitsForTheEndOfAMessageHoweverItsBytesCome) {
  const std::string message = unfinished(from_gateway("one ")) + frame(0x9, "ping between", false) +
                              unfinished(frame(kContinuation, std::string(300, 'x'), false)) +
                              frame(kContinuation, "end", false);
  const std::string next = from_gateway("next");
  const std::string bytes = message + next;
  for (size_t split = 1; split < message.size(); ++split) {
    relay_.emplace(*this, client_, upstream_, record_, counters_, metrics_, settings_);
    client_.written.clear();
    relay_->on_upstream_data(std::string_view(bytes).substr(0, split));
    relay_->say(notice());
    ASSERT_EQ(client_.written, bytes.substr(0, split)) << split;
    relay_->on_upstream_data(std::string_view(bytes).substr(split));
    ASSERT_EQ(client_.written, message + notice() + next) << split;
  }
}

TEST_F(RelayNotice, PongsAreStillTakenOutAroundIt) {
  pass_time(settings_.ping_after_ms);  // both sides are asked now
  ASSERT_EQ(upstream_.written.size(), 14U);
  client_.written.clear();
  relay_->on_upstream_data(unfinished(from_gateway("one ")));
  relay_->say(notice());
  std::string plain;
  for (size_t i = 0; i < 8; ++i) {
    plain += static_cast<char>(upstream_.written[6 + i] ^ upstream_.written[2 + i % 4]);
  }
  relay_->on_upstream_data(frame(kPong, plain, false) + frame(kContinuation, "two", false));
  EXPECT_EQ(client_.written,
            unfinished(from_gateway("one ")) + frame(kContinuation, "two", false) + notice());
}

TEST_F(RelayNotice, ANewerOneTakesThePlaceOfOneThatWaits) {
  relay_->on_upstream_data(unfinished(from_gateway("a")));
  relay_->say(notice("old"));
  relay_->say(notice("new"));
  relay_->on_upstream_data(frame(kContinuation, "b", false));
  EXPECT_EQ(client_.written,
            unfinished(from_gateway("a")) + frame(kContinuation, "b", false) + notice("new"));
  EXPECT_EQ(said(), 1U);
  EXPECT_EQ(unsaid(), 1U);
}

TEST_F(RelayNotice, NeverStandsBehindAClose) {
  relay_->on_upstream_data(gateway_close(1000));
  relay_->say(notice());
  EXPECT_EQ(client_.written, gateway_close(1000));
  EXPECT_EQ(unsaid(), 1U);
}

TEST_F(RelayNotice, NeverStandsBehindACloseOfOurs) {
  relay_->close(ErrorCode::kDraining);
  pass_time(limits::kPartingMs);
  relay_->say(notice());
  EXPECT_EQ(client_.written, drain_notice());
  EXPECT_EQ(unsaid(), 1U);
}

TEST_F(RelayNotice, OneThatWaitsGoesBeforeTheCloseIfTheMessageEnds) {
  const std::string rest = from_gateway("whole").substr(3);
  relay_->on_upstream_data(from_gateway("whole").substr(0, 3));
  relay_->say(notice());
  relay_->close(ErrorCode::kDraining);
  pass_time(limits::kPartingMs);
  relay_->on_upstream_data(rest + from_gateway("dropped"));
  EXPECT_EQ(client_.written, from_gateway("whole") + notice() + drain_notice());
}

TEST_F(RelayNotice, NeverWhereTheGatewaysFramesAreLost) {
  const std::string odd("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10);
  relay_->on_upstream_data(odd);
  relay_->say(notice());
  relay_->on_upstream_data("more");
  EXPECT_EQ(client_.written, odd + "more");
  EXPECT_EQ(unsaid(), 1U);
}

TEST_F(RelayNotice, OneThatStillWaitsAtTheEndCounts) {
  relay_->on_upstream_data(unfinished(from_gateway("a")));
  relay_->say(notice());
  relay_->on_upstream_end();
  relay_->on_client_end();
  tear_down_relay();
  EXPECT_EQ(said(), 0U);
  EXPECT_EQ(unsaid(), 1U);
}

class RelayListens : public RelayNotice {};

TEST_F(RelayListens, TheOwnerHearsEachWholeMessageAndEverythingGoesOn) {
  relay_->listen();
  const std::string fragments = unfinished(from_gateway("two ")) + frame(0x9, "ping", false) +
                                frame(kContinuation, "three", false);
  const std::string all = from_gateway("one") + fragments;
  for (const char byte : all) relay_->on_upstream_data({&byte, 1});
  EXPECT_EQ(client_.written, all);
  EXPECT_EQ(heard_, (std::vector{from_gateway("one"), fragments}));
  relay_->stop_listening();
  relay_->on_upstream_data(from_gateway("four"));
  EXPECT_EQ(heard_.size(), 2U);
}

TEST_F(RelayListens, AMessageWhoseBeginWasMissedIsNotHeard) {
  relay_->on_upstream_data(unfinished(from_gateway("one ")));
  relay_->listen();
  relay_->on_upstream_data(frame(kContinuation, "rest", false) + from_gateway("two"));
  EXPECT_EQ(heard_, std::vector{from_gateway("two")});
}

TEST_F(RelayListens, AMessageThatIsTooLargeIsNotHeardButPasses) {
  relay_->listen();
  const std::string half = unfinished(from_gateway(std::string(40'000, 'x')));
  const std::string rest = frame(kContinuation, std::string(40'000, 'y'), false);
  relay_->on_upstream_data(half + rest + from_gateway("small"));
  EXPECT_EQ(client_.written, half + rest + from_gateway("small"));
  EXPECT_EQ(heard_, std::vector{from_gateway("small")});
}

TEST_F(RelayListens, WhatItSaysEndsTheListening) {
  relay_->listen();
  relay_->say(notice());
  relay_->on_upstream_data(from_gateway("one"));
  EXPECT_TRUE(heard_.empty());
  EXPECT_EQ(client_.written, notice() + from_gateway("one"));
}

class RelayExpels : public RelayNotice {
 protected:
  static std::string farewell(ErrorCode why) {
    const ErrorRow& row = error_row(why);
    return websocket::close_frame(row.close_code,
                                  std::string(row.cause) + " " + std::string(row.remedy),
                                  websocket::Masking::kNone);
  }
};

TEST_F(RelayExpels, TheClientHearsWhyAndIsNotHeardAgain) {
  relay_->on_client_data(from_client("before"));
  upstream_.written.clear();
  relay_->expel(ErrorCode::kSessionExpired);
  EXPECT_EQ(client_.written, farewell(ErrorCode::kSessionExpired));
  EXPECT_EQ(masked_close_text(upstream_.written).substr(0, 4), "1008");
  EXPECT_TRUE(upstream_.finished);
  relay_->on_client_data(from_client("after"));
  relay_->on_client_data(client_close(1008));
  EXPECT_EQ(record_.error.code, ErrorCode::kSessionExpired);
  EXPECT_EQ(record_.closed_by, "proxy");
  EXPECT_EQ(record_.close_code, 1008);
  relay_->on_upstream_end();
  EXPECT_EQ(ended_, 1);
}

TEST_F(RelayExpels, TheGatewaysFrameIsFinishedFirst) {
  relay_->on_upstream_data(from_gateway("whole").substr(0, 3));
  relay_->expel(ErrorCode::kSessionExpired);
  relay_->on_client_data(from_client("not heard"));
  relay_->on_upstream_data(from_gateway("whole").substr(3) + from_gateway("dropped"));
  EXPECT_EQ(client_.written, from_gateway("whole") + farewell(ErrorCode::kSessionExpired));
  EXPECT_EQ(upstream_.written.find("not heard"), std::string::npos);
}

TEST_F(RelayExpels, AWebSocketThatPartsIsClosedAtOnce) {
  relay_->close(ErrorCode::kDraining);
  relay_->expel(ErrorCode::kSessionExpired);
  EXPECT_EQ(client_.written, farewell(ErrorCode::kSessionExpired));
  EXPECT_EQ(masked_close_text(upstream_.written), drain_notice_to_gateway()) << "one Close only";
  EXPECT_TRUE(upstream_.finished);
  relay_->on_client_data(from_client("not heard"));
  relay_->on_upstream_data(from_gateway("not heard") + gateway_close(1012));
  EXPECT_EQ(client_.written, farewell(ErrorCode::kSessionExpired));
  expect_record("proxy", 1008, ErrorCode::kSessionExpired);
  relay_->on_upstream_end();
  EXPECT_EQ(ended_, 1);
}

TEST_F(RelayExpels, AWebSocketThatHasPartedIsNotToldAgain) {
  relay_->close(ErrorCode::kDraining);
  pass_time(limits::kPartingMs);
  relay_->expel(ErrorCode::kSessionExpired);
  EXPECT_EQ(client_.written, drain_notice());
  expect_record("proxy", 1012, ErrorCode::kDraining);
}

TEST_F(RelayExpels, EndsInTimeWhateverThePeersDo) {
  relay_->on_upstream_data(from_gateway("whole").substr(0, 3));
  relay_->expel(ErrorCode::kSessionExpired);
  pass_time(limits::kCloseBoundaryMs);
  EXPECT_EQ(ended_, 1);
}

}  // namespace kg::exchange::relay_notice_test
