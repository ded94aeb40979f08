// One endpoint as a text of its own.
#include "config/endpoint_loader.h"

#include <gmock/gmock.h>

namespace kg::config::endpoint_loader_test {

using testing::ElementsAre;
using testing::IsEmpty;

const Texts kTexts{{"jwks", "{}"}, {"token", "t"}};

std::vector<std::string> problems(std::string_view text,
                                  UnknownKeys unknown_keys = UnknownKeys::kRefused) {
  std::vector<std::string> out;
  const LoadedEndpoint loaded = load_endpoint(text, kTexts, unknown_keys);
  bool has_errors = false;
  for (const ConfigError& error : loaded.errors) {
    EXPECT_FALSE(error.remedy.empty()) << error.problem;
    has_errors = has_errors || !error.warning;
    out.push_back((error.warning ? "~" : "") + error.key + ": " + error.problem);
  }
  EXPECT_EQ(loaded.endpoint.has_value(), !has_errors);
  return out;
}

constexpr std::string_view kJwt =
    R"("sessions":{"jwt":{"issuer":"i","audience":"a","keys_file":"feed:jwks"}})";

TEST(EndpointLoader, ReadsJsonWithoutRoutesAndPods) {
  const LoadedEndpoint loaded = load_endpoint(
      R"({"id":"abc","virtual_cluster":"analytics","gateway":{"token_file":"feed:token",)"
      R"("replication":true,"gone_after":"3s"},"quotas":{"kernels":5},)" +
          std::string(kJwt) + "}",
      kTexts);
  ASSERT_THAT(loaded.errors, IsEmpty());
  ASSERT_TRUE(loaded.endpoint);
  EXPECT_EQ(loaded.endpoint->id, "abc");
  EXPECT_EQ(loaded.endpoint->virtual_cluster, "analytics");
  EXPECT_EQ(loaded.endpoint->gateway.token_file, "feed:token");
  EXPECT_TRUE(loaded.endpoint->gateway.replication);
  EXPECT_EQ(loaded.endpoint->gateway.gone_after.count(), 3'000);
  EXPECT_EQ(loaded.endpoint->quotas.kernels, 5U);
  EXPECT_THAT(loaded.endpoint->hosts, IsEmpty());
  EXPECT_THAT(loaded.endpoint->gateway.pods, IsEmpty());
  const auto& jwt = std::get<JwtSessions>(loaded.endpoint->sessions.authenticators.at(0));
  EXPECT_EQ(jwt.keys_file, "feed:jwks");
}

TEST(EndpointLoader, NamesKeysAsTheyStandInTheEndpoint) {
  EXPECT_THAT(problems(R"({"id":"A","gateway":{"gone_after":"1d"},)" + std::string(kJwt) + "}"),
              ElementsAre("id: \"A\" is not an endpoint id",
                          "gateway.gone_after: \"1d\" is not a duration"));
  EXPECT_THAT(problems(R"({"id":"a","gateway":{},"quota":{}})"),
              ElementsAre("quota: unknown key", "sessions: missing"));
}

TEST(EndpointLoader, AnUnknownKeyIsAnErrorOrIgnoredAtAnyDepth) {
  const std::string text =
      R"({"id":"a","mood":{"x":[1,{"y":null}]},"gateway":{"gone_aftr":"3s"},"sessions":{"jwt":)"
      R"({"issuer":"i","audience":"a","keys_file":"feed:jwks","x":true}}})";
  EXPECT_THAT(problems(text), ElementsAre("mood: unknown key", "gateway.gone_aftr: unknown key",
                                          "sessions.jwt.x: unknown key"));
  EXPECT_THAT(problems(text, UnknownKeys::kIgnored),
              ElementsAre("~mood: unknown key", "~gateway.gone_aftr: unknown key",
                          "~sessions.jwt.x: unknown key"));
}

// Else an endpoint whose sessions are spelt another way would have none.
TEST(EndpointLoader, AnIgnoredKeyStandsForNoOther) {
  const auto ignoring = [](const char* text) { return problems(text, UnknownKeys::kIgnored); };
  EXPECT_THAT(ignoring(R"({"id":"a","gateway":{},"session":{}})"),
              ElementsAre("~session: unknown key", "sessions: missing"));
  EXPECT_THAT(ignoring(R"({"id":"a","gateway":{},"sessions":{"jvt":{}}})"),
              ElementsAre("~sessions.jvt: unknown key", "sessions: nobody can be recognised"));
  EXPECT_THAT(ignoring(R"({"id":"a","gateway":{},"sessions":{"authenticators":[{"saml":{}}]}})"),
              ElementsAre("~sessions.authenticators[0].saml: unknown key",
                          "sessions.authenticators[0]: is not one authenticator"));
  EXPECT_THAT(ignoring(R"({"id":"a","gateway":{},"sessions":{"jwt":{"issuer":"i","audience":"a",)"
                       R"("key_file":"feed:jwks"}}})"),
              ElementsAre("~sessions.jwt.key_file: unknown key",
                          "sessions.jwt: names not one place of the issuer's keys"));
}

TEST(EndpointLoader, RefusesRoutesAndPods) {
  EXPECT_THAT(problems(R"({"id":"a","hosts":["a.test"],"path_prefix":"/a","gateway":{"pods":[]},)" +
                       std::string(kJwt) + "}"),
              ElementsAre("hosts: comes with the routes and pods, not from here",
                          "path_prefix: comes with the routes and pods, not from here",
                          "gateway.pods: comes with the routes and pods, not from here"));
}

TEST(EndpointLoader, NamesNoFileOfTheMachine) {
  for (const char* name : {"/etc/passwd", "../feed:jwks", "jwks"}) {
    EXPECT_THAT(
        problems(R"({"id":"a","gateway":{"token_file":")" + std::string(name) + "\"}," +
                 std::string(kJwt) + "}"),
        ElementsAre("gateway.token_file: \"" + std::string(name) + "\" is a file of this machine"));
  }
  EXPECT_THAT(
      problems(R"({"id":"a","gateway":{"token_file":"feed:other"},)" + std::string(kJwt) + "}"),
      ElementsAre("gateway.token_file: there is no text \"feed:other\""));
}

TEST(EndpointLoader, JudgesForwardWithoutPods) {
  EXPECT_THAT(
      problems(R"({"id":"a","gateway":{"credentials":"forward"},)" + std::string(kJwt) + "}"),
      ElementsAre("gateway.credentials: forward needs delegated as the only authenticator"));
}

}  // namespace kg::config::endpoint_loader_test
