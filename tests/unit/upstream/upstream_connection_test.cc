#include "proxy/upstream/upstream_connection.h"

#include <gmock/gmock.h>

#include "gateway_script.h"

namespace kg::upstream::upstream_connection_test {

constexpr std::string_view kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

class UpstreamConnectionTest : public GatewayTest {
 protected:
  void SetUp() override { gateway_.answer.clear(); }
  void ask() {
    ASSERT_TRUE(caller_.ask(LeaseKind::kFresh));
    ASSERT_TRUE(run_until([&] { return !gateway_.peers.empty() && !peer().inbox.empty(); }));
  }
  GatewayScript::Peer& peer() { return *gateway_.peers.back(); }
  void say(std::string_view bytes) { gateway_.say(gateway_.peers.size() - 1, bytes); }

  Caller caller_{pool_};
};

TEST_F(UpstreamConnectionTest, WhatWasWrittenWhileConnectingArrives) {
  ask();
  EXPECT_EQ(peer().inbox, "GET / HTTP/1.1\r\nHost: gateway\r\n\r\n");
  EXPECT_GT(caller_.connection->connect_us(), 0U);
  caller_.give_back(false);
}

TEST_F(UpstreamConnectionTest, AnAnswerMayComeByteByByte) {
  ask();
  for (const char byte : std::string_view("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                          "5\r\nhello\r\n0\r\n\r\n")) {
    EXPECT_FALSE(caller_.done);
    say({&byte, 1});
    event::run_turns(loop_, 2);
  }
  EXPECT_TRUE(run_until([&] { return caller_.done; }));
  EXPECT_EQ(caller_.interim, 103);
  EXPECT_EQ(caller_.status, 200);
  EXPECT_EQ(caller_.body, "hello");
  EXPECT_EQ(open_now(), 1U) << "kept for the next request";
}

TEST_F(UpstreamConnectionTest, HeadHasNoBody) {
  caller_.method = http::Method::kHead;
  ask();
  say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_TRUE(run_until([&] { return caller_.done; }));
  EXPECT_EQ(caller_.body, "");
  EXPECT_EQ(open_now(), 1U);
}

TEST_F(UpstreamConnectionTest, ABodyMayEndWithTheConnection) {
  ask();
  say("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  run_turns();
  EXPECT_FALSE(caller_.done);
  peer().socket.close();
  EXPECT_TRUE(run_until([&] { return caller_.done; }));
  EXPECT_EQ(caller_.body, "until the end");
  EXPECT_FALSE(caller_.error);
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(UpstreamConnectionTest, HangingUpWithoutAnAnswerIsAReset) {
  ask();
  peer().socket.close();
  EXPECT_TRUE(run_until([&] { return caller_.error.has_value(); }));
  EXPECT_EQ(caller_.error, ErrorCode::kUpstreamReset);
}

TEST_F(UpstreamConnectionTest, AnAnswerThatBreaksOffIsGone) {
  EXPECT_EQ(error_after("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
            ErrorCode::kUpstreamGone);
  EXPECT_EQ(error_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
            ErrorCode::kUpstreamGone);
  EXPECT_EQ(error_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
            ErrorCode::kUpstreamGone);
}

TEST_F(UpstreamConnectionTest, AHeadThatBreaksOffIsGone) {
  EXPECT_EQ(error_after("HTTP/1.1 200 OK\r\nContent-"), ErrorCode::kUpstreamGone);
}

TEST_F(UpstreamConnectionTest, WhatIsNoHttpIsAProtocolError) {
  for (const char* bytes :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_EQ(error_after(bytes), ErrorCode::kUpstreamProtocol) << bytes;
  }
  EXPECT_EQ(error_after(std::string(kSwitch)), ErrorCode::kUpstreamProtocol)
      << "nobody asked for a 101";
  run_turns();
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(UpstreamConnectionTest, NobodyListening) {
  const routing::Pod nowhere = pod_at(event::listen_anywhere().local_address());
  PodPool pool(loop_, metrics_, counters_, nowhere, 0);
  Caller caller(pool);
  if (caller.ask()) {
    EXPECT_TRUE(run_until([&] { return caller.error.has_value(); }));
    EXPECT_EQ(caller.error, ErrorCode::kUpstreamConnect);
  } else {
    EXPECT_EQ(caller.lease_error, ErrorCode::kUpstreamConnect);
  }
  run_turns();
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(UpstreamConnectionTest, AfterA101BytesAreTheTunnels) {
  caller_.wants_tunnel = true;
  ask();
  say(std::string(kSwitch) + "first");
  EXPECT_TRUE(run_until([&] { return caller_.tunnel == "first"; }));
  EXPECT_EQ(caller_.status, 101);
  say(" HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_TRUE(run_until([&] { return caller_.tunnel == "first HTTP/1.1 200 OK\r\n\r\n"; }));
  caller_.connection->stream().write("up");
  EXPECT_TRUE(run_until([&] { return peer().inbox.find("\r\n\r\nup") != std::string::npos; }));
  EXPECT_FALSE(caller_.done);
  EXPECT_FALSE(caller_.error);

  peer().socket.shutdown_write();
  EXPECT_TRUE(run_until([&] { return caller_.tunnel_ended; }));
  caller_.connection->stream().write("still");
  EXPECT_TRUE(run_until([&] { return peer().inbox.find("upstill") != std::string::npos; }));
  caller_.give_back();
  EXPECT_TRUE(run_until([&] { return peer().ended; })) << "a tunnel is never used again";
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(UpstreamConnectionTest, ATunnelThatBreaksIsAnErrorOnce) {
  caller_.wants_tunnel = true;
  ask();
  say(kSwitch);
  EXPECT_TRUE(run_until([&] { return caller_.status == 101; }));
  const linger reset{1, 0};
  setsockopt(peer().socket.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  peer().socket.close();
  EXPECT_TRUE(run_until([&] { return caller_.error.has_value(); }));
  run_turns();
  EXPECT_FALSE(caller_.tunnel_ended);
  EXPECT_EQ(open_now(), 0U);
}

}  // namespace kg::upstream::upstream_connection_test
