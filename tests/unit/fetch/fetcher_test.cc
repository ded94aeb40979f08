#include "proxy/fetch/fetcher.h"

#include <cstdlib>

#include "proxy/fetch/own_network.h"
#include "tests/unit/fetch/fetch_fixture.h"

namespace kg::fetch::fetcher_test {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(FetcherTest, AnAnswerComesWithStatusBodyAndWantedFields) {
  const HttpsPeer peer(&own, [](const std::string&) {
    return answer_of("200 OK", "{\"keys\":[]}",
                     "cache-control: max-age=60\r\nX-User: a\r\nx-user: b\r\n");
  });
  Request request = get(peer, "/keys?a=b");
  request.fields.push_back({"Authorization", Secret("Basic abc")});
  request.wanted = {"Cache-Control", "X-User", "X-None"};
  const Answer answer = fetch(std::move(request));
  EXPECT_TRUE(answer.came()) << answer.problem;
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "{\"keys\":[]}");
  EXPECT_THAT(answer.wanted,
              ElementsAre(ElementsAre("max-age=60"), ElementsAre("a", "b"), IsEmpty()));
  const std::string sent = peer.requests().at(0);
  EXPECT_THAT(sent, testing::StartsWith("GET /keys?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nAuthorization: Basic abc\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nUser-Agent: kernelgate\r\n"));
  EXPECT_EQ(fetcher.count(Purpose::kKeys, Failure::kNone), 1U);
}

TEST_F(FetcherTest, AFormGoesUpAsItIs) {
  const HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", "{}"); });
  Request request = get(peer);
  request.method = Method::kPost;
  request.body = Secret("token=a%26b&token_type_hint=access_token");
  EXPECT_EQ(fetch(std::move(request)).status, 200);
  const std::string sent = peer.requests().at(0);
  EXPECT_THAT(sent, testing::StartsWith("POST /keys HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
  EXPECT_THAT(sent, testing::EndsWith("\r\n\r\ntoken=a%26b&token_type_hint=access_token"));
  EXPECT_THAT(sent, Not(HasSubstr("Expect")));
}

TEST_F(FetcherTest, ARedirectIsAnAnswerAndIsNotFollowed) {
  const HttpsPeer other(&own, [](const std::string&) { return answer_of("200 OK", "other"); });
  const HttpsPeer peer(&own, [&](const std::string&) {
    return answer_of("302 Found", "",
                     "Location: https://127.0.0.1:" + std::to_string(other.port()) + "/\r\n");
  });
  EXPECT_EQ(fetch(get(peer)).status, 302);
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(FetcherTest, WhatAStrangerNamesIsNotAskedOnThisMachine) {
  const HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", "secret"); });
  auto outward = std::make_shared<Trust>(*trust(own));
  outward->outward = true;
  for (const char* host : {"localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"}) {
    Request request = get(peer);
    request.url.host = host;
    request.trust = outward;
    const Answer answer = fetch(std::move(request));
    EXPECT_EQ(answer.failure, Failure::kConnect) << host;
    EXPECT_THAT(answer.problem, HasSubstr("an address of this machine or link")) << host;
    EXPECT_EQ(answer.body, "");
  }
  EXPECT_EQ(peer.connections(), 0);
  Request request = get(peer);
  request.url.host = "localhost";
  EXPECT_EQ(fetch(std::move(request)).status, 200) << "an operator's own may";
}

TEST(OwnNetwork, IsKnownInEveryWriting) {
  const auto own = [](const char* text) {
    return is_of_own_network(*event::SocketAddress::parse(text, 443));
  };
  for (const char* text :
       {"127.255.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "::", "::1", "::127.0.0.1",
        "::ffff:169.254.169.254", "fe80::1", "febf::1", "fd00:ec2::254", "ff02::1",
        "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::255.0.0.1"}) {
    EXPECT_TRUE(own(text)) << text;
  }
  for (const char* text :
       {"10.0.0.1", "192.0.2.1", "172.16.0.1", "128.0.0.1", "169.253.0.1", "223.255.255.255",
        "2001:db8::1", "fd00::1", "fec0::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1"}) {
    EXPECT_FALSE(own(text)) << text;
  }
}

TEST_F(FetcherTest, ACertificateOfAnotherCaIsRefused) {
  const tls::CertificateFiles stranger = folder.make("stranger", "IP:127.0.0.1");
  const HttpsPeer peer(&stranger, [](const std::string&) { return answer_of("200 OK", ""); });
  const Answer answer = fetch(get(peer));
  EXPECT_EQ(answer.failure, Failure::kTls);
  EXPECT_THAT(answer.problem, HasSubstr("certificate"));
  EXPECT_THAT(peer.requests(), IsEmpty());
}

TEST_F(FetcherTest, TheSystemsCasDoNotCoverAPrivateOne) {
  const HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", ""); });
  Request request = get(peer);
  request.trust = nullptr;
  EXPECT_EQ(fetch(std::move(request)).failure, Failure::kTls);
}

TEST_F(FetcherTest, ACertificateForAnotherNameIsRefused) {
  const HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", ""); });
  Request request = get(peer);
  request.url.host = "other.test";
  request.connect_to = "127.0.0.1:" + std::to_string(peer.port());
  EXPECT_EQ(fetch(std::move(request)).failure, Failure::kTls);
  EXPECT_THAT(peer.requests(), IsEmpty());
}

TEST_F(FetcherTest, AnAddressCanBeGivenInPlaceOfTheName) {
  const HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", "here"); });
  Request request = get(peer);
  request.url.host = "issuer.test";
  request.connect_to = "127.0.0.1:" + std::to_string(peer.port());
  const Answer answer = fetch(std::move(request));
  EXPECT_EQ(answer.body, "here") << answer.problem;
  EXPECT_THAT(peer.requests().at(0), HasSubstr("\r\nHost: issuer.test:"));
}

TEST_F(FetcherTest, NamesAreResolved) {
  const HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", "named"); });
  Request request = get(peer);
  request.url.host = "localhost";
  const Answer answer = fetch(std::move(request));
  EXPECT_EQ(answer.body, "named") << answer.problem;
}

TEST_F(FetcherTest, OldTlsIsRefused) {
  HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", ""); });
  SSL_CTX_set_security_level(peer.context(), 0);
  SSL_CTX_set_max_proto_version(peer.context(), TLS1_1_VERSION);
  EXPECT_EQ(fetch(get(peer)).failure, Failure::kTls);
  EXPECT_THAT(peer.requests(), IsEmpty());
}

TEST_F(FetcherTest, OurOwnCertificateIsShown) {
  HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", "known"); });
  const tls::CertificateFiles client = folder.make("client", "DNS:client.test");
  SSL_CTX_set_verify(peer.context(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  ASSERT_EQ(SSL_CTX_load_verify_locations(peer.context(), client.certificate.c_str(), nullptr), 1);
  EXPECT_FALSE(fetch(get(peer)).came());
  Request request = get(peer);
  request.trust = std::make_shared<Trust>(Trust{
      text_of(own.certificate), text_of(client.certificate), Secret(text_of(client.private_key))});
  const Answer answer = fetch(std::move(request));
  EXPECT_EQ(answer.body, "known") << answer.problem;
}

TEST_F(FetcherTest, ALargeAnswerIsCutOff) {
  for (const std::string& framing :
       std::vector<std::string>{"Content-Length: 101\r\n", "", "Transfer-Encoding: chunked\r\n"}) {
    const HttpsPeer peer(&own, [&](const std::string&) {
      const std::string body(101, 'x');
      const bool chunked = framing.starts_with("Transfer");
      return "HTTP/1.1 200 OK\r\n" + framing + "\r\n" +
             (chunked ? "65\r\n" + body + "\r\n0\r\n\r\n" : body);
    });
    Request request = get(peer);
    request.answer_bytes_max = 100;
    EXPECT_EQ(fetch(std::move(request)).failure, Failure::kTooLarge) << framing;
    Request enough = get(peer);
    enough.answer_bytes_max = 101;
    EXPECT_EQ(fetch(std::move(enough)).body.size(), 101U) << framing;
  }
}

TEST_F(FetcherTest, WhoWantsTheStatusOnlyDoesNotWaitForTheBody) {
  const HttpsPeer peer(&own, [](const std::string&) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nX-User: a\r\n\r\nsome";
  });
  Request request = get(peer);
  request.status_only = true;
  request.wanted = {"X-User"};
  const Answer answer = fetch(std::move(request));
  EXPECT_EQ(answer.status, 200) << answer.problem;
  EXPECT_THAT(answer.wanted, ElementsAre(ElementsAre("a")));
  EXPECT_EQ(answer.body, "");
}

TEST_F(FetcherTest, ALargeHeadIsCutOff) {
  const HttpsPeer peer(&own, [](const std::string&) {
    std::string fields;
    for (int i = 0; i < 70; ++i) fields += "X-Field: " + std::string(1'000, 'x') + "\r\n";
    return answer_of("200 OK", "", fields);
  });
  EXPECT_EQ(fetch(get(peer)).failure, Failure::kTooLarge);
}

TEST_F(FetcherTest, AnAnswerCutShortIsNone) {
  const HttpsPeer peer(&own, [](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}");
  });
  EXPECT_FALSE(fetch(get(peer)).came());
}

TEST_F(FetcherTest, WhatIsNoHttpIsNoAnswer) {
  const HttpsPeer peer(&own, [](const std::string&) { return std::string("hello there\r\n\r\n"); });
  EXPECT_EQ(fetch(get(peer)).failure, Failure::kProtocol);
}

TEST_F(FetcherTest, ASilentServiceMeetsTheDeadline) {
  const HttpsPeer peer(&own, [](const std::string&) { return std::string(); });
  Request request = get(peer);
  request.deadline_ms = 150;
  EXPECT_EQ(fetch(std::move(request)).failure, Failure::kTimeout);
}

TEST_F(FetcherTest, ARefusedConnectionIsTold) {
  uint16_t port = 0;
  {
    const HttpsPeer gone(&own, [](const std::string&) { return std::string(); });
    port = gone.port();
  }
  Request request;
  request.url = {true, "127.0.0.1", port, "/"};
  EXPECT_EQ(fetch(std::move(request)).failure, Failure::kConnect);
}

TEST_F(FetcherTest, PlainHttpIsForTheOwnGatewayOnly) {
  const HttpsPeer peer(nullptr, [](const std::string&) { return answer_of("200 OK", "plain"); });
  Request request = get(peer);
  request.url.secure = false;
  EXPECT_EQ(fetch(request).failure, Failure::kProtocol);
  EXPECT_EQ(peer.connections(), 0);
  request.to_own_gateway = true;
  EXPECT_EQ(fetch(request).body, "plain");
}

TEST_F(FetcherTest, ATokenCannotBringAFieldOfItsOwn) {
  const HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", ""); });
  for (const std::string& bad : std::vector<std::string>{"token a\r\nX-Admin: 1", "token a\nb",
                                                         std::string("token a\0b", 9)}) {
    Request request = get(peer);
    request.fields.push_back({"Authorization", Secret(bad)});
    EXPECT_EQ(fetch(std::move(request)).failure, Failure::kProtocol);
  }
  EXPECT_EQ(peer.connections(), 0);
}

TEST_F(FetcherTest, AProxyOfTheEnvironmentIsNotUsed) {
  const HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", "direct"); });
  setenv("https_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  const Answer answer = fetch(get(peer));
  unsetenv("https_proxy");
  unsetenv("ALL_PROXY");
  EXPECT_EQ(answer.body, "direct") << answer.problem;
}

TEST_F(FetcherTest, EachExchangeHasAConnectionOfItsOwn) {
  const HttpsPeer peer(&own, [](const std::string&) { return answer_of("200 OK", ""); });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fetch(get(peer)).status, 200);
  EXPECT_EQ(peer.connections(), 3);
}

TEST_F(FetcherTest, ASlowServiceDelaysNobodyElseAndEndsWithTheProcess) {
  const HttpsPeer slow(&own, [](const std::string&) { return std::string(); });
  const HttpsPeer quick(&own, [](const std::string&) { return answer_of("200 OK", "quick"); });
  constexpr size_t kTooMany = 20;
  for (size_t i = 0; i < limits::kFetchesPerOriginMax + kTooMany; ++i) send(get(slow));
  for (const Answer& answer : wait_for(kTooMany)) EXPECT_EQ(answer.failure, Failure::kBusy);
  EXPECT_EQ(fetch(get(quick)).body, "quick");
  EXPECT_LE(slow.connections(), static_cast<int>(limits::kFetchesRunningPerOrigin));
  EXPECT_EQ(fetcher.waiting(), limits::kFetchesPerOriginMax);
  fetcher.stop();
  EXPECT_EQ(fetcher.count(Purpose::kKeys, Failure::kStopped), limits::kFetchesPerOriginMax);
  EXPECT_EQ(fetcher.waiting(), 0U);
}

TEST_F(FetcherTest, WhoWaitsForASlowServiceMeetsTheDeadlineToo) {
  const HttpsPeer slow(&own, [](const std::string&) { return std::string(); });
  constexpr size_t kCount = limits::kFetchesRunningPerOrigin * 3;
  for (size_t i = 0; i < kCount; ++i) {
    Request request = get(slow);
    request.deadline_ms = 300;
    send(std::move(request));
  }
  for (const Answer& answer : wait_for(kCount)) EXPECT_EQ(answer.failure, Failure::kTimeout);
  EXPECT_EQ(fetcher.waiting(), 0U);
}

TEST_F(FetcherTest, WhoIsInAHurryDoesNotWaitForTheDeadlinesOfOthers) {
  const HttpsPeer slow(&own, [](const std::string&) { return std::string(); });
  for (size_t i = 0; i < limits::kFetchesRunningPerOrigin * 2; ++i) send(get(slow));
  Request request = get(slow);
  request.deadline_ms = 50;
  send(std::move(request));
  EXPECT_EQ(wait_for(1).front().failure, Failure::kTimeout);
  EXPECT_EQ(fetcher.waiting(), limits::kFetchesRunningPerOrigin * 2);
}

TEST_F(FetcherTest, NoMoreThanTheBoundWaitInAll) {
  std::vector<std::unique_ptr<HttpsPeer>> slow;
  for (int i = 0; i < 5; ++i) {
    slow.push_back(
        std::make_unique<HttpsPeer>(&own, [](const std::string&) { return std::string(); }));
  }
  for (size_t i = 0; i < limits::kFetchesMax + 10; ++i) send(get(*slow[i % slow.size()]));
  for (const Answer& answer : wait_for(10)) EXPECT_EQ(answer.failure, Failure::kBusy);
  EXPECT_EQ(fetcher.waiting(), limits::kFetchesMax);
}

}  // namespace kg::fetch::fetcher_test
