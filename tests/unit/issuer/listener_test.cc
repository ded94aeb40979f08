#include "routing/controller/issuer/listener.h"

#include "tests/unit/issuer/issuer_fixture.h"
#include "tests/unit/tls/tls_peers.h"

namespace kg::issuer::listener_test {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kPath = "/virtualclusters/analytics/endpoints/abc123/credentials";

std::string post(const std::string& body, const std::string& fields = "") {
  return "POST " + kPath + " HTTP/1.1\r\nHost: c.test\r\nAuthorization: Bearer caller-token\r\n" +
         fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class ListenerTest : public IssuerTest {
 protected:
  ListenerTest() {
    EXPECT_EQ(material.open(), "");
    signer = material.signer();
    make_payload();
    const Result<uint16_t> bound = listener.listen(*event::SocketAddress::parse("127.0.0.1", 0));
    EXPECT_TRUE(bound);
    port = *bound;
  }

  event::Socket connect() const {
    return event::Socket::connect(*event::SocketAddress::parse("127.0.0.1", port)).value();
  }

  // All that comes until the server ends the connection.
  std::string talk(const std::vector<std::string>& pieces) {
    tls::TestClient peer(connect(), {});
    size_t sent = 0;
    run_until([&] {
      if (sent < pieces.size() && peer.to_send.empty() && (sent == 0 || peer.shaken)) {
        peer.to_send = pieces[sent++];
      }
      peer.step();
      return peer.clean_end || peer.cut_off || peer.failed_reason != 0;
    });
    EXPECT_TRUE(peer.clean_end);
    certificate = peer.certificate_name();
    peer.say_goodbye();
    peer.cut();
    run_until([&] { return listener.open_connections() == 0; });
    return peer.data;
  }
  std::string talk(const std::string& all) { return talk(std::vector<std::string>{all}); }
  void allow() {
    answer_token("alice");
    answer_access(true);
  }

  tls::CertificateFolder folder;
  const tls::CertificateFiles files = folder.make("first", "DNS:c.test");
  Options options = [this] {
    Options made;
    made.issuer = kIssuerName;
    made.certificate_file = files.certificate;
    made.certificate_key_file = files.private_key;
    made.signing_key_file = folder.write("signing", auth::forge::TestKey::ed25519().private_pem());
    return made;
  }();
  Material material{loop, options};
  Desk desk{loop, client, options, around()};
  Listener listener{loop, desk, material};
  uint16_t port = 0;
  std::string certificate;  // of the last talk
};

TEST_F(ListenerTest, OneRequestIsAnsweredAndEndsTheConnection) {
  allow();
  const std::string answer = talk(post(kPlainWish) + post(kPlainWish));
  EXPECT_THAT(answer,
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nConnection: close\r"),
                    HasSubstr("\r\nCache-Control: no-store\r"), HasSubstr("\"expiresAt\"")));
  EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos);
  EXPECT_EQ(api.requests.size(), 2U);
}

TEST_F(ListenerTest, ARequestMayComeInPiecesAndChunks) {
  allow();
  std::vector<std::string> bytes;
  for (const char c : post(kPlainWish, "Expect: 100-continue\r\n")) bytes.emplace_back(1, c);
  EXPECT_THAT(talk(bytes), StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
  allow();
  EXPECT_THAT(talk("POST " + kPath +
                   " HTTP/1.1\r\nHost: c.test\r\nauthorization: bearer caller-token\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n1a\r\n" +
                   kPlainWish + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ListenerTest, OneNetworkMakesSoManyHandshakesAMinute) {
  constexpr size_t kTogether = 32;
  const Counts& counts = desk.counts();
  while (counts.connections_refused == 0 &&
         counts.connections < uint64_t{8} * kConnectionsPerMinute) {
    const uint64_t before = counts.connections;
    {
      std::vector<event::Socket> sockets;
      while (sockets.size() < kTogether) sockets.push_back(connect());
      run_until([&] { return counts.connections == before + kTogether; });
    }
    run_until([&] { return listener.open_connections() == 0; });
  }
  EXPECT_GT(counts.connections_refused, 0U);
  EXPECT_GE(counts.connections - counts.connections_refused, kConnectionsPerMinute);
}

TEST_F(ListenerTest, ThePublicKeysAreForAll) {
  const std::string answer = talk("GET /.well-known/jwks.json HTTP/1.1\r\nHost: c.test\r\n\r\n");
  EXPECT_THAT(answer,
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("max-age=300"),
                    HasSubstr(signer->kid()), HasSubstr("\"EdDSA\""), Not(HasSubstr("\"d\""))));
  const std::string head = talk("HEAD /.well-known/jwks.json HTTP/1.1\r\nHost: c.test\r\n\r\n");
  EXPECT_THAT(head, AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), testing::EndsWith("\r\n\r\n")));
}

TEST_F(ListenerTest, WhatIsNoCallIsToldSoAndAsksNobody) {
  const std::pair<std::string, std::string> cases[] = {
      {"GET / HTTP/1.1\r\nHost: c.test\r\n\r\n", "404 Not Found"},
      {"GET " + kPath + " HTTP/1.1\r\nHost: c.test\r\n\r\n", "405 Method Not Allowed"},
      {"POST /.well-known/jwks.json HTTP/1.1\r\nHost: c.test\r\nContent-Length: 0\r\n\r\n",
       "405 Method Not Allowed"},
      {"POST " + kPath + " HTTP/1.1\r\nHost: c.test\r\nContent-Length: 65537\r\n\r\n",
       "413 Content Too Large"},
      {"POST " + kPath +
           " HTTP/1.1\r\nHost: c.test\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n" +
           std::string(65'537, ' '),
       "413 Content Too Large"},
      {"POST " + kPath +
           " HTTP/1.1\r\nHost: c.test\r\nContent-Length: 1\r\n"
           "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400 Bad Request"},
      {post("", "Authorization: Bearer another\r\n"), "400 Bad Request"},
      {"POST " + kPath + " HTTP/1.1\r\nHost: c.test\r\nContent-Length: 0\r\n\r\n",
       "401 Unauthorized"},
      {"GET /" + std::string(1'100, 'a') + " HTTP/1.1\r\nHost: c.test\r\n\r\n", "414 URI Too Long"},
      {"\x16\x03\x01 junk\r\n\r\n", "400 Bad Request"}};
  for (const auto& [request, status] : cases) {
    EXPECT_THAT(talk(request), AllOf(StartsWith("HTTP/1.1 " + status + "\r\n"),
                                     HasSubstr("\"reason\":"), HasSubstr("\"message\":")))
        << request.substr(0, 200);
  }
  EXPECT_TRUE(api.requests.empty());
}

TEST_F(ListenerTest, AClientThatLeavesTakesItsCallAlong) {
  tls::TestClient peer(connect(), {});
  peer.to_send = post(kPlainWish);
  run_until([&] {
    peer.step();
    return !api.requests.empty();
  });
  peer.cut();
  const auto gone = [&] { return listener.open_connections() == 0; };
  answer_token("alice");
  api.hang_up();  // the review fails, and the answer finds nobody
  run_until(gone);
  EXPECT_EQ(client.open_calls(), 0U);
}

TEST_F(ListenerTest, AnAddressHoldsSoManyConnectionsAndGivesThemBack) {
  std::vector<event::Socket> held;
  for (uint32_t i = 0; i <= kConnectionsPerAddressMax; ++i) held.push_back(connect());
  run_until([&] { return desk.counts().connections_refused == 1; });
  EXPECT_EQ(listener.open_connections(), kConnectionsPerAddressMax);
  held.clear();
  run_until([&] { return listener.open_connections() == 0; });
  EXPECT_THAT(talk("GET / HTTP/1.1\r\nHost: c.test\r\n\r\n"), StartsWith("HTTP/1.1 404"));
}

TEST_F(ListenerTest, FilesAreReadAgainAndBrokenOnesChangeNothing) {
  folder.write("signing", "nothing");
  std::filesystem::copy_file(folder.make("second", "DNS:c.test").certificate, files.certificate,
                             std::filesystem::copy_options::overwrite_existing);
  material.look();
  EXPECT_EQ(material.signer(), signer);
  talk("GET / HTTP/1.1\r\nHost: c.test\r\n\r\n");
  EXPECT_EQ(certificate, "first");  // the key is still the other one's
  const auth::forge::TestKey next = auth::forge::TestKey::ec();
  folder.write("signing", next.private_pem() + auth::forge::TestKey::ed25519().private_pem());
  std::filesystem::copy_file(folder.path("second.key"), files.private_key,
                             std::filesystem::copy_options::overwrite_existing);
  material.look();
  EXPECT_EQ(material.signer()->algorithm(), auth::Algorithm::kEs256);
  EXPECT_EQ(auth::KeySet::from_text(material.signer()->public_jwks()).keys->size(), 2U);
  talk("GET / HTTP/1.1\r\nHost: c.test\r\n\r\n");
  EXPECT_EQ(certificate, "second");
}

}  // namespace kg::issuer::listener_test
