// How a relay ends: who is told what, when nothing more may be said, and the deadlines.
#include <gmock/gmock.h>

#include "relay_fixture.h"

namespace kg::exchange::relay_end_test {

class RelayEnd : public RelayTest {};

TEST_F(RelayEnd, AClosingHandshakeOfTheClientIsLeftAlone) {
  relay_->on_client_data(client_close(1000));
  relay_->on_upstream_data(gateway_close(1000));
  relay_->on_client_end();
  EXPECT_TRUE(relay_->ending());
  EXPECT_EQ(upstream_.written, client_close(1000)) << "nothing of our own after a Close";
  EXPECT_TRUE(upstream_.finished);
  EXPECT_EQ(deadline_ms_, limits::kHalfCloseMs);
  EXPECT_EQ(ended_, 0);
  relay_->on_upstream_end();
  EXPECT_EQ(client_.written, gateway_close(1000));
  EXPECT_EQ(ended_, 1);
  expect_record("client", 1000, ErrorCode::kNone);
}

TEST_F(RelayEnd, AClosingHandshakeOfTheGatewayIsLeftAlone) {
  relay_->on_upstream_data(gateway_close(1001));
  relay_->on_upstream_end();
  EXPECT_EQ(client_.written, gateway_close(1001));
  EXPECT_TRUE(client_.finished);
  EXPECT_EQ(deadline_ms_, limits::kHalfCloseMs);
  relay_->on_client_data(client_close(1001));
  relay_->on_client_end();
  EXPECT_EQ(ended_, 1);
  expect_record("upstream", 1001, ErrorCode::kNone);
}

TEST_F(RelayEnd, AGatewayThatDiesBetweenFramesIsReported) {
  client_.pause(event::Pause::kPeerSlow);
  relay_->on_upstream_data(from_gateway("output"));
  relay_->on_upstream_lost();
  EXPECT_EQ(client_.written, from_gateway("output") + death_notice());
  EXPECT_TRUE(client_.finished);
  EXPECT_FALSE(client_.is_paused()) << "its Close has to be read";
  EXPECT_EQ(deadline_ms_, limits::kHalfCloseMs);
  EXPECT_EQ(ended_, 0);
  relay_->on_client_end();
  EXPECT_EQ(ended_, 1);
  expect_record("upstream", 1006, ErrorCode::kUpstreamGone);
}

TEST_F(RelayEnd, AGatewayThatAnswersACloseByItsEndIsNoFault) {
  relay_->on_client_data(client_close(1000));
  relay_->on_upstream_end();
  EXPECT_EQ(client_.written, "") << "the client knows what it said";
  EXPECT_TRUE(client_.finished);
  relay_->on_client_end();
  EXPECT_EQ(ended_, 1);
  expect_record("client", 1000, ErrorCode::kNone);
}

TEST_F(RelayEnd, AGatewayThatDiesInsideAFrameJustEnds) {
  const std::string whole = from_gateway("output");
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    FakeStream client;
    Relay relay(*this, client, upstream_, record_, counters_, metrics_, settings_);
    relay.on_upstream_data(std::string_view(whole).substr(0, cut));
    relay.on_upstream_end();
    EXPECT_EQ(client.written, whole.substr(0, cut)) << "a Close here would be part of the frame";
    EXPECT_TRUE(client.finished);
  }
  EXPECT_EQ(record_.error.code, ErrorCode::kUpstreamGone);
}

TEST_F(RelayEnd, AClientThatVanishesIsReportedToTheGateway) {
  upstream_.pause(event::Pause::kPeerSlow);
  relay_->on_client_data(from_client("input"));
  upstream_.written.clear();
  relay_->on_client_lost();
  EXPECT_EQ(masked_close_text(upstream_.written), farewell_to_gateway());
  EXPECT_TRUE(upstream_.finished);
  EXPECT_FALSE(upstream_.is_paused()) << "nobody is left who would open it";
  EXPECT_EQ(deadline_ms_, limits::kHalfCloseMs);
  relay_->on_upstream_end();
  EXPECT_EQ(ended_, 1);
  expect_record("client", 1006, ErrorCode::kNone);
}

TEST_F(RelayEnd, AClientThatVanishesInsideAFrameJustEnds) {
  const std::string part = from_client("input").substr(0, 5);
  relay_->on_client_data(part);
  relay_->on_client_end();
  EXPECT_EQ(upstream_.written, part);
  EXPECT_TRUE(upstream_.finished);
}

TEST_F(RelayEnd, TheOtherDirectionLivesOnForAWhile) {
  relay_->on_client_end();
  relay_->on_upstream_data(from_gateway("late"));
  EXPECT_EQ(client_.written, from_gateway("late"));
  relay_->on_client_data(from_client("after its end"));
  EXPECT_EQ(upstream_.written.find("after"), std::string::npos);
  relay_->on_deadline();
  EXPECT_EQ(ended_, 1);
  expect_record("client", 1006, ErrorCode::kNone);
}

TEST_F(RelayEnd, CloseLeavesAnEndingOneAlone) {
  relay_->on_client_end();
  relay_->close(ErrorCode::kDraining);
  EXPECT_EQ(client_.written, "");
  EXPECT_EQ(deadline_ms_, limits::kHalfCloseMs);
  expect_record("client", 1006, ErrorCode::kNone);
}

TEST_F(RelayEnd, NoSecondCloseFollowsTheGateways) {
  relay_->on_upstream_data(gateway_close(1000));
  relay_->close(ErrorCode::kDraining);
  EXPECT_EQ(client_.written, gateway_close(1000)) << "RFC 6455 section 5.5.1";
  EXPECT_EQ(record_.closed_by, "upstream");
}

TEST_F(RelayEnd, NothingHappensAfterTheEnd) {
  relay_->on_client_data(client_close(1000));
  relay_->on_client_end();
  relay_->on_upstream_end();
  ASSERT_EQ(ended_, 1);
  const std::string up = upstream_.written;
  const std::string down = client_.written;
  relay_->on_client_data(from_client("x"));
  relay_->on_upstream_data(from_gateway("x"));
  relay_->on_client_lost();
  relay_->on_upstream_lost();
  relay_->on_deadline();
  relay_->close(ErrorCode::kDraining);
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(upstream_.written, up);
  EXPECT_EQ(client_.written, down);
}

}  // namespace kg::exchange::relay_end_test
