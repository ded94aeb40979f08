#include "proxy/tls/tls_stream.h"

#include <gmock/gmock.h>

#include "tls_peers.h"

namespace kg::tls::tls_stream_test {

using testing::ElementsAre;
using testing::IsEmpty;

// Each test once per protocol version: they differ in who speaks last in a handshake.
class TlsStreamTest : public testing::TestWithParam<int> {
 protected:
  static void SetUpTestSuite() {
    const CertificateFolder folder;
    std::string error;
    context_ = TlsContext::make(listener_of({folder.make("server", "")}), error);
    ASSERT_NE(context_, nullptr) << error;
  }
  static void TearDownTestSuite() { context_.reset(); }

  static inline std::shared_ptr<const TlsContext> context_;
  Connection connection_{context_, {"", "", nullptr, GetParam()}};
  TestServer& server_ = connection_.server;
  TestClient& client_ = *connection_.client;
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsStreamTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(TlsStreamTest, BytesGoBothWaysAfterTheHandshake) {
  EXPECT_FALSE(server_.stream.handshake_done());
  client_.to_send = "ping";
  EXPECT_TRUE(connection_.run_until([&] { return server_.data == "ping"; }));
  EXPECT_THAT(server_.happened, ElementsAre("handshake", "data"));
  EXPECT_FALSE(server_.stream.resumed());
  server_.stream.write("po");
  server_.stream.write("");
  server_.stream.write("ng");
  EXPECT_TRUE(connection_.run_until([&] { return client_.data == "pong"; }));
  EXPECT_EQ(server_.stream.unsent(), 0U);
}

TEST_P(TlsStreamTest, WhatATurnWritesIsOneRecord) {
  ASSERT_TRUE(connection_.shake_hands());
  connection_.run_turns();
  const std::string body(5'000, 'b');
  server_.stream.write("head");
  server_.stream.write(body);
  EXPECT_GE(server_.stream.unsent(), 5'004U) << "counted as soon as it is written";
  EXPECT_NE(server_.stream.last_progress_us(), 0U);
  EXPECT_TRUE(connection_.run_until([&] { return client_.data == "head" + body; }));
  EXPECT_EQ(client_.records, 1);
  server_.stream.write("next");
  EXPECT_TRUE(connection_.run_until([&] { return client_.data.ends_with("next"); }));
  EXPECT_EQ(client_.records, 2);
}

TEST_P(TlsStreamTest, WritesOfAllSizesKeepTheirOrder) {
  ASSERT_TRUE(connection_.shake_hands());
  std::string all;
  for (const size_t size : std::initializer_list<size_t>{1, 16'384, 2, 16'383, 1, 3, 40'000, 5'000,
                                                         5'000, 5'000, 5'000}) {
    const std::string part(size, static_cast<char>('a' + all.size() % 26));
    server_.stream.write(part);
    all += part;
  }
  server_.stream.finish();
  EXPECT_TRUE(connection_.run_until([&] { return client_.clean_end; }));
  EXPECT_TRUE(client_.data == all);
}

TEST_P(TlsStreamTest, AMegabyteComesBackWhole) {
  const std::string sent = event::pattern(1024 * 1024);
  server_.echo = true;
  client_.to_send = sent;
  EXPECT_TRUE(connection_.run_until([&] { return client_.data.size() >= sent.size(); }));
  EXPECT_TRUE(client_.data == sent);
  EXPECT_TRUE(server_.data == sent);
  EXPECT_FALSE(server_.error);
}

TEST_P(TlsStreamTest, AClosedGateHoldsPlainBytesBack) {
  ASSERT_TRUE(connection_.shake_hands());
  server_.stream.pause(event::Pause::kPipelined);
  client_.to_send = "later";
  connection_.run_turns();
  EXPECT_EQ(server_.data, "");
  server_.stream.resume(event::Pause::kPipelined);
  EXPECT_TRUE(connection_.run_until([&] { return server_.data == "later"; }));
}

TEST_P(TlsStreamTest, CloseNotifyIsACleanEnd) {
  ASSERT_TRUE(connection_.shake_hands());
  client_.to_send = "bye";
  client_.step();
  client_.say_goodbye();
  EXPECT_TRUE(connection_.run_until([&] { return server_.happened.size() >= 3; }));
  EXPECT_THAT(server_.happened, ElementsAre("handshake", "data", "end"));
  client_.cut();
  connection_.run_turns();
  EXPECT_THAT(server_.happened, ElementsAre("handshake", "data", "end")) << "one end is enough";
}

TEST_P(TlsStreamTest, AFinAloneIsATruncation) {
  ASSERT_TRUE(connection_.shake_hands());
  client_.to_send = "half a sent";
  client_.step();
  client_.cut();
  EXPECT_TRUE(connection_.run_until([&] { return server_.happened.size() >= 3; }));
  EXPECT_THAT(server_.happened, ElementsAre("handshake", "data", "cut"));
  EXPECT_EQ(server_.data, "half a sent");
}

TEST_P(TlsStreamTest, AnEndInTheHandshakeIsAnError) {
  client_.step();  // the first flight
  connection_.client->cut();
  EXPECT_TRUE(connection_.fails());
  EXPECT_EQ(server_.error->code, ErrorCode::kClientGone);
  EXPECT_THAT(server_.happened, ElementsAre("error"));
}

TEST_P(TlsStreamTest, PlainTextIsAnError) {
  event::send_all_it_takes(client_.socket(), "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  EXPECT_TRUE(connection_.fails());
  EXPECT_EQ(server_.error->code, ErrorCode::kClientTls);
}

TEST_P(TlsStreamTest, ABrokenRecordIsAnErrorAndItsAlertGoesOut) {
  ASSERT_TRUE(connection_.shake_hands());
  connection_.run_turns();
  const std::string record("\x17\x03\x03\x00\x20", 5);
  event::send_all_it_takes(client_.socket(), record + std::string(32, 'x'));
  EXPECT_TRUE(connection_.fails());
  EXPECT_EQ(server_.error->code, ErrorCode::kClientTls);
  EXPECT_EQ(server_.data, "");
  EXPECT_TRUE(connection_.run_until([&] { return client_.failed_reason != 0; }));
  EXPECT_EQ(client_.failed_reason, SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
}

TEST_P(TlsStreamTest, TheAlertArrivesThoughTheClientGoesOnSending) {
  server_.finish_at_error = true;
  ASSERT_TRUE(connection_.shake_hands());
  connection_.run_turns();
  const std::string record("\x17\x03\x03\x00\x20", 5);
  event::send_all_it_takes(client_.socket(), record + std::string(200'000, 'x'));
  EXPECT_TRUE(connection_.run_until([&] { return client_.failed_reason != 0 || client_.cut_off; }));
  EXPECT_EQ(client_.failed_reason, SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
  server_.stream.write("not any more");
  client_.cut();
  EXPECT_TRUE(connection_.run_until([&] { return server_.happened.back() == "cut"; }));
  EXPECT_THAT(server_.happened, ElementsAre("handshake", "error", "cut"));
}

TEST_P(TlsStreamTest, FinishSendsTheRestAndCloseNotifyAndKeepsReading) {
  ASSERT_TRUE(connection_.shake_hands());
  const std::string sent = event::pattern(50'000);
  server_.stream.write(sent);
  server_.stream.finish();
  server_.stream.finish();
  EXPECT_TRUE(connection_.run_until([&] { return client_.clean_end; }));
  EXPECT_TRUE(client_.data == sent);
  client_.to_send = "still talking";
  EXPECT_TRUE(connection_.run_until([&] { return server_.data == "still talking"; }));
  EXPECT_FALSE(server_.error);
}

TEST_P(TlsStreamTest, CloseWithoutFinishIsATruncationForTheClient) {
  ASSERT_TRUE(connection_.shake_hands());
  server_.stream.write("last");
  server_.stream.close();
  server_.stream.close();
  server_.stream.write("lost");
  EXPECT_TRUE(connection_.run_until([&] { return client_.cut_off; }));
  EXPECT_EQ(client_.data, "last");
  EXPECT_FALSE(client_.clean_end);
  EXPECT_THAT(server_.happened, ElementsAre("handshake"));
}

TEST_P(TlsStreamTest, TheHandlerMayCloseWhenTheHandshakeIsDone) {
  server_.close_at_handshake = true;
  client_.to_send = "never read";
  EXPECT_TRUE(connection_.run_until([&] { return !server_.happened.empty(); }));
  connection_.run_turns();
  EXPECT_THAT(server_.happened, ElementsAre("handshake"));
}

TEST_P(TlsStreamTest, AFaultOfOneConnectionIsNoneOfAnother) {
  Connection other(context_, {"", "", nullptr, GetParam()});
  ASSERT_TRUE(other.shake_hands());
  event::send_all_it_takes(client_.socket(), "plain text is no ClientHello");
  EXPECT_TRUE(connection_.fails());
  other.client->to_send = "fine";
  EXPECT_TRUE(other.run_until([&] { return other.server.data == "fine"; }));
  EXPECT_FALSE(other.server.error);
}

}  // namespace kg::tls::tls_stream_test
