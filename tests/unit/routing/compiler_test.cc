#include "routing/compiler.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "tests/unit/auth/session_fixture.h"

namespace kg::routing::compiler_test {

using auth::forge::TempFile;
using auth::forge::TestKey;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const TestKey& key() {
  static const TestKey key = TestKey::ec();
  return key;
}

config::JwtSessions& jwt_of(config::Endpoint& endpoint) {
  return std::get<config::JwtSessions>(endpoint.sessions.authenticators.front());
}

class CompilerTest : public testing::Test {
 protected:
  // An endpoint without fault.
  config::Endpoint endpoint(const std::string& id) const {
    config::Endpoint endpoint;
    endpoint.id = id;
    endpoint.hosts = {id + ".test"};
    endpoint.gateway.pods = {{"pod-" + id, {"127.0.0.1", 8888}, ""}};
    endpoint.gateway.token_file = token_.path();
    endpoint.gateway.token_place = {10, "endpoints." + id + ".gateway.token_file"};
    config::JwtSessions jwt;
    jwt.issuer = "https://studio.example.com";
    jwt.audience = "kernelgate";
    jwt.keys_file = keys_.path();
    jwt.place = {20, "endpoints." + id + ".sessions.jwt.keys_file"};
    endpoint.sessions.authenticators = {jwt};
    endpoint.place = {1, "endpoints." + id};
    return endpoint;
  }
  Compiled compile_all(std::vector<config::Endpoint> endpoints) {
    config::Config config;
    config.file = "kernelgate.yaml";
    config.endpoints = std::move(endpoints);
    Compiled compiled = compile(config, 42, slots_, sources_, pods_, 2);
    for (const config::ConfigError& error : compiled.errors) {
      EXPECT_EQ(error.file, "kernelgate.yaml");
      EXPECT_FALSE(error.remedy.empty());
      EXPECT_FALSE(error.warning);
    }
    EXPECT_EQ(compiled.snapshot == nullptr, !compiled.errors.empty());
    return compiled;
  }
  // The errors as "LINE KEY: PROBLEM".
  std::vector<std::string> problems(std::vector<config::Endpoint> endpoints) {
    std::vector<std::string> out;
    for (const config::ConfigError& error : compile_all(std::move(endpoints)).errors) {
      out.push_back(std::to_string(error.line) + " " + error.key + ": " + error.problem);
    }
    return out;
  }
  std::vector<std::string> problems_with_token(const std::string& text) {
    const TempFile file(text);
    config::Endpoint wanted = endpoint("a");
    wanted.gateway.token_file = file.path();
    return problems({wanted});
  }
  std::string token_from(const std::string& text) {
    const TempFile file(text);
    config::Endpoint wanted = endpoint("a");
    wanted.gateway.token_file = file.path();
    return std::string(only(compile_all({wanted})).gateway_token.reveal());
  }
  static const Endpoint& only(const Compiled& compiled) {
    const Match match = compiled.snapshot->match("a.test", "/");
    EXPECT_NE(match.endpoint, nullptr);
    kept_ = *match.endpoint;
    return *kept_;
  }

  static inline EndpointRef kept_;
  TempFile token_{"gateway-secret\n"};
  TempFile keys_{key().public_pem()};
  metrics::EndpointSlots slots_{3};
  fetch::Fetcher fetcher_;  // without a thread: nobody is asked
  auth::Sources sources_{fetcher_};
  PodBook pods_;
};

TEST_F(CompilerTest, CarriesEverythingAWorkerNeeds) {
  config::Endpoint wanted = endpoint("a");
  wanted.virtual_cluster = "team-blue";
  wanted.path_prefix = "/p/q";
  wanted.strip_prefix = false;
  wanted.other_paths = config::OtherPaths::kForward;
  wanted.gateway.kernel_launch_timeout = config::Millis(123'000);
  const Compiled compiled = compile_all({wanted});
  EXPECT_EQ(compiled.snapshot->version(), 42U);
  EXPECT_EQ(compiled.endpoints.size(), 1U);
  EXPECT_EQ(compiled.snapshot->match("a.test", "/").endpoint, nullptr);
  const Match match = compiled.snapshot->match("a.test", "/p/q/api");
  ASSERT_NE(match.endpoint, nullptr);
  EXPECT_EQ(match.path, "/api");
  const Endpoint& made = **match.endpoint;
  EXPECT_EQ(made.id, "a");
  EXPECT_EQ(made.virtual_cluster, "team-blue");
  EXPECT_EQ(made.path_prefix, "/p/q");
  EXPECT_FALSE(made.strip_prefix);
  EXPECT_TRUE(made.forward_other_paths);
  EXPECT_EQ(made.gateway_token.reveal(), "gateway-secret");
  EXPECT_EQ(made.pods.front().name, "pod-a");
  EXPECT_EQ(made.pods.front().address.text(), "127.0.0.1:8888");
  EXPECT_EQ(made.launch_timeout_ms, 123'000U);
  EXPECT_EQ(made.metrics_slot, slots_.slot_for("team-blue", "a"));
  EXPECT_NE(made.metrics_slot, 0U);
  EXPECT_NE(made.sessions, nullptr);
}

TEST_F(CompilerTest, BoundsAndChecksOfTheGatewayAreCarried) {
  config::Endpoint wanted = endpoint("a");
  const Endpoint plain = only(compile_all({wanted}));
  EXPECT_EQ(plain.pods.front().limits.active_max, PoolLimits().active_max);
  EXPECT_EQ(plain.pods.front().limits.queue_max, PoolLimits().queue_max);
  EXPECT_EQ(plain.pods.front().limits.connect_ms, PoolLimits().connect_ms);
  EXPECT_EQ(plain.pods.front().limits.idle_ms, PoolLimits().idle_ms);
  EXPECT_TRUE(plain.health.enabled);
  EXPECT_EQ(plain.health.path, "/api");
  EXPECT_EQ(plain.health.interval_ms, 5'000U);
  EXPECT_EQ(plain.census_ms, 5'000U);
  EXPECT_EQ(plain.pods.front().tls, nullptr);
  wanted.gateway.connections_max = 7;
  wanted.gateway.idle_timeout = config::Millis(9'000);
  wanted.gateway.health_check.enabled = false;
  const Endpoint other = only(compile_all({wanted}));
  EXPECT_EQ(other.pods.front().limits.active_max, 7U);
  EXPECT_EQ(other.pods.front().limits.idle_ms, 9'000U);
  EXPECT_FALSE(other.health.enabled);
}

TEST_F(CompilerTest, TlsContextsAreOnePerThreadAndSharedByEndpoints) {
  config::Endpoint named = endpoint("a");
  named.gateway.tls.emplace().server_name = "jeg.test";
  config::Endpoint by_address = endpoint("b");
  by_address.gateway.tls.emplace();
  const Compiled compiled = compile_all({named, by_address});
  const Pod& a = (*compiled.snapshot->match("a.test", "/").endpoint)->pods.front();
  const Pod& b = (*compiled.snapshot->match("b.test", "/").endpoint)->pods.front();
  ASSERT_NE(a.tls, nullptr);
  ASSERT_NE(b.tls, nullptr);
  EXPECT_EQ(a.tls->name.text, "jeg.test");
  EXPECT_FALSE(a.tls->name.is_address);
  EXPECT_EQ(b.tls->name.text, "127.0.0.1");
  EXPECT_TRUE(b.tls->name.is_address);
  ASSERT_EQ(a.tls->contexts->size(), 2U);
  EXPECT_NE(a.tls->contexts->front(), a.tls->contexts->back());
  EXPECT_EQ(a.tls->contexts, b.tls->contexts);
}

TEST_F(CompilerTest, AnUnusableCaIsNamed) {
  const TempFile junk("no certificates in here");
  config::Endpoint wanted = endpoint("a");
  wanted.gateway.tls.emplace().ca_file = junk.path();
  wanted.gateway.tls->place = {15, "endpoints.a.gateway.tls"};
  EXPECT_THAT(problems({wanted}), ElementsAre(AllOf(HasSubstr("15 endpoints.a.gateway.tls: "),
                                                    HasSubstr(junk.path()))));
}

TEST_F(CompilerTest, HostsShareAnEndpointAndNoHostMeansAny) {
  config::Endpoint both = endpoint("a");
  both.hosts = {"a.test", "b.test"};
  config::Endpoint any = endpoint("any");
  any.hosts = {};
  const Compiled compiled = compile_all({both, any});
  EXPECT_EQ(compiled.endpoints.size(), 2U);
  EXPECT_EQ(*compiled.snapshot->match("a.test", "/").endpoint,
            *compiled.snapshot->match("b.test", "/").endpoint);
  EXPECT_EQ((*compiled.snapshot->match("else.test", "/").endpoint)->id, "any");
}

TEST_F(CompilerTest, SessionsAreJudgedAsConfigured) {
  config::Endpoint wanted = endpoint("abc123");
  wanted.execution_role_arn = auth::forge::kRole;
  wanted.hosts = {"a.test"};
  const Endpoint& made = only(compile_all({wanted}));
  const std::string token = key().token(auth::forge::kHeader, auth::forge::Claims().text());
  auth::Evidence evidence;
  evidence.token = token;
  const auto judge = [&evidence](const Endpoint& endpoint) {
    return endpoint.sessions->judge(auth::Proof::kToken, evidence, auth::forge::kNow).verdict;
  };
  const auth::Verdict good = judge(made);
  ASSERT_EQ(good.kind, auth::Verdict::Kind::kPrincipal) << good.error.detail;
  EXPECT_EQ(good.principal.realm, "https://studio.example.com") << "the issuer by default";
  EXPECT_EQ(made.sessions->policy().endpoint_id, "abc123");
  EXPECT_EQ(made.sessions->policy().execution_role_arn, auth::forge::kRole);

  jwt_of(wanted).realm = "studio";
  EXPECT_EQ(judge(only(compile_all({wanted}))).principal.realm, "studio");
  jwt_of(wanted).algorithms = {"RS256"};
  EXPECT_EQ(judge(only(compile_all({wanted}))).kind, auth::Verdict::Kind::kRefused);
}

TEST_F(CompilerTest, ATokenIsOneLine) {
  EXPECT_EQ(token_from("abc"), "abc");
  EXPECT_EQ(token_from("abc\n"), "abc");
  EXPECT_EQ(token_from("abc\r\n"), "abc");
  const std::string longest(8 * 1024, 't');
  EXPECT_EQ(token_from(longest + "\n"), longest);
}

TEST_F(CompilerTest, ATokenThatNoHeaderCanCarryIsRefused) {
  using namespace std::string_literals;
  for (const std::string& text : {""s, "\n"s, "two words\n"s, " abc"s, "abc\ndef\n"s, "a\tb"s,
                                  "a\0b"s, "caf\xc3\xa9"s, std::string(8 * 1024 + 1, 't')}) {
    EXPECT_THAT(problems_with_token(text),
                ElementsAre("10 endpoints.a.gateway.token_file: the token file does not hold one "
                            "printable token"))
        << text;
  }
}

TEST_F(CompilerTest, ErrorsNeverShowTheToken) {
  const TempFile file("top secret\n");
  config::Endpoint wanted = endpoint("a");
  wanted.gateway.token_file = file.path();
  for (const config::ConfigError& error : compile_all({wanted}).errors) {
    EXPECT_THAT(config::format(error), testing::Not(HasSubstr("secret")));
  }
}

TEST_F(CompilerTest, AGatewayMayWantNoToken) {
  config::Endpoint wanted = endpoint("a");
  wanted.gateway.token_file = "";
  EXPECT_TRUE(only(compile_all({wanted})).gateway_token.empty());
}

TEST_F(CompilerTest, AnUnreadableTokenFileIsNamed) {
  config::Endpoint wanted = endpoint("a");
  wanted.gateway.token_file = token_.path() + ".missing";
  EXPECT_THAT(problems({wanted}),
              ElementsAre(AllOf(HasSubstr("10 endpoints.a.gateway.token_file: cannot read"),
                                HasSubstr(wanted.gateway.token_file))));
  wanted.gateway.token_file = testing::TempDir();
  EXPECT_THAT(problems({wanted}), ElementsAre(HasSubstr(testing::TempDir())));
}

TEST_F(CompilerTest, BadKeysAreNamed) {
  const TempFile junk("no keys in here");
  config::Endpoint wanted = endpoint("a");
  jwt_of(wanted).keys_file = junk.path();
  EXPECT_THAT(problems({wanted}),
              ElementsAre(AllOf(HasSubstr("20 endpoints.a.sessions.jwt.keys_file: "),
                                HasSubstr(junk.path()))));
  jwt_of(wanted).keys_file = junk.path() + ".missing";
  EXPECT_THAT(problems({wanted}), ElementsAre(HasSubstr(jwt_of(wanted).keys_file)));
}

TEST_F(CompilerTest, AllErrorsComeAtOnceAndNothingIsPublished) {
  config::Endpoint a = endpoint("a");
  a.gateway.token_file = "/nonexistent/token";
  jwt_of(a).keys_file = "/nonexistent/keys";
  config::Endpoint b = endpoint("b");
  b.gateway.pods.front().address.host = "gateway.svc";
  EXPECT_THAT(problems({a, endpoint("fine"), b}),
              ElementsAre(HasSubstr("10 endpoints.a.gateway.token_file"),
                          HasSubstr("20 endpoints.a.sessions.jwt.keys_file"),
                          HasSubstr("1 endpoints.b: the pod's address is not numeric")));
}

TEST_F(CompilerTest, SlotsStayWithTheirEndpoint) {
  const Compiled before = compile_all({endpoint("a"), endpoint("b")});
  const Compiled after = compile_all({endpoint("b"), endpoint("a")});
  const auto slot = [](const Compiled& compiled, const char* host) {
    return (*compiled.snapshot->match(host, "/").endpoint)->metrics_slot;
  };
  EXPECT_EQ(slot(before, "a.test"), slot(after, "a.test"));
  EXPECT_EQ(slot(before, "b.test"), slot(after, "b.test"));
  EXPECT_NE(slot(before, "a.test"), slot(before, "b.test"));
}

}  // namespace kg::routing::compiler_test
