// A relay while both sides live: bytes, counters, back-pressure.
#include "proxy/exchange/relay.h"

#include <gmock/gmock.h>

#include "relay_fixture.h"

namespace kg::exchange::relay_test {

using event::Pause;
using metrics::kFromClient;
using metrics::kFromUpstream;

using RelayFlow = RelayTest;

TEST_F(RelayFlow, BytesPassUnchangedAndInOrder) {
  const std::string up =
      from_client("one") + from_client(std::string(300, 'x')) + client_close(1000);
  const std::string down = from_gateway("two") + from_gateway("") + gateway_close(1000);
  for (size_t i = 0; i < up.size(); ++i) relay_->on_client_data(std::string_view(up).substr(i, 1));
  for (size_t i = 0; i < down.size(); i += 3) {
    relay_->on_upstream_data(std::string_view(down).substr(i, 3));
  }
  EXPECT_EQ(upstream_.written, up);
  EXPECT_EQ(client_.written, down);
  EXPECT_FALSE(client_.finished);
  EXPECT_FALSE(upstream_.finished);
  EXPECT_EQ(deadline_ms_, settings_.ping_after_ms) << "nothing touches a timer per message";
}

TEST_F(RelayFlow, WhatIsNoFramePassesToo) {
  const std::string odd("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10);  // reserved bits, 2^63
  relay_->on_client_data(odd);
  relay_->on_client_data("more");
  EXPECT_EQ(upstream_.written, odd + "more");
  EXPECT_TRUE(relay_->scan_lost());
}

TEST_F(RelayFlow, CountsBytesAndWholeMessages) {
  const std::string up = from_client("hello");
  relay_->on_client_data(std::string_view(up).substr(0, 4));
  EXPECT_EQ(counters_.messages[kFromClient].get(), 0U);
  relay_->on_client_data(std::string_view(up).substr(4));
  const std::string down = from_gateway("a") + from_gateway("b");
  relay_->on_upstream_data(down);
  EXPECT_EQ(counters_.bytes[kFromClient].get(), up.size());
  EXPECT_EQ(counters_.messages[kFromClient].get(), 1U);
  EXPECT_EQ(counters_.bytes[kFromUpstream].get(), down.size());
  EXPECT_EQ(counters_.messages[kFromUpstream].get(), 2U);
  EXPECT_EQ(record_.bytes_in, up.size());
  EXPECT_EQ(record_.messages_in, 1U);
  EXPECT_EQ(record_.bytes_out, down.size());
  EXPECT_EQ(record_.messages_out, 2U);
}

TEST_F(RelayFlow, TheGaugeCountsOpenOnes) {
  EXPECT_EQ(counters_.websockets_open.get(), 1U);
  EXPECT_EQ(counters_.websockets_total.get(), 1U);
  relay_->on_client_end();
  relay_->on_upstream_end();
  relay_.reset();
  EXPECT_EQ(counters_.websockets_open.get(), 0U);
  EXPECT_EQ(counters_.websockets_total.get(), 1U);
}

TEST_F(RelayFlow, ASlowGatewayStopsTheClient) {
  upstream_.unsent_bytes = limits::kPendingBytesHigh;
  relay_->on_client_data(from_client("at the mark"));
  EXPECT_FALSE(client_.is_paused());
  upstream_.unsent_bytes = limits::kPendingBytesHigh + 1;
  relay_->on_client_data(from_client("above"));
  EXPECT_EQ(client_.gate, static_cast<unsigned>(Pause::kPeerSlow));
  EXPECT_FALSE(upstream_.is_paused());
  relay_->on_upstream_data(from_gateway("the other way flows"));
  EXPECT_FALSE(upstream_.is_paused());
  relay_->on_upstream_drained();
  EXPECT_FALSE(client_.is_paused());
}

TEST_F(RelayFlow, ASlowClientStopsTheGateway) {
  client_.unsent_bytes = limits::kPendingBytesHigh + 1;
  relay_->on_upstream_data(from_gateway("above"));
  EXPECT_EQ(upstream_.gate, static_cast<unsigned>(Pause::kPeerSlow));
  EXPECT_FALSE(client_.is_paused());
  EXPECT_EQ(deadline_ms_, settings_.ping_after_ms) << "it stalls its own kernel only";
  relay_->on_client_drained();
  EXPECT_FALSE(upstream_.is_paused());
}

TEST_F(RelayFlow, OtherReasonsToPauseAreNotItsOwn) {
  client_.pause(Pause::kPipelined);
  relay_->on_upstream_drained();
  EXPECT_TRUE(client_.is_paused());
}

}  // namespace kg::exchange::relay_test
