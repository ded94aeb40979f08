// Formats as earlier programs wrote them: recorded/README.md.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <variant>

#include "config/names.h"
#include "routing/announced.h"
#include "routing/announced_certificate.h"
#include "routing/feed/disk_copy.h"
#include "routing/feed/limits.h"
#include "routing/renewal_notice.h"
#include "routing/revocation_notice.h"

namespace kg::routing::recorded_test {

using testing::ElementsAre;
using testing::UnorderedElementsAre;
using Kind = auth::RevocationKind;

std::string recorded(const std::string& name) {
  const auto folder = std::filesystem::path(__FILE__).parent_path() / "recorded";
  std::ifstream file(folder / name, std::ios::binary);
  EXPECT_TRUE(file) << name << " is missing";
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string entry(Kind kind, const std::string& realm, const std::string& name,
                  const std::string& scope, int64_t before = 0, int64_t until = 0) {
  auth::Revocation out;
  out.kind = kind;
  out.mark = auth::mark_of(kind, realm, name);
  out.scope = scope;
  out.before = before;
  out.until = until;
  return out.json();
}

std::vector<std::string> entries_in(const feed::Item& item) {
  std::vector<std::string> out;
  const auto entries = read_revocations(item);
  EXPECT_TRUE(entries) << item.key;
  if (!entries) return out;
  for (const auth::Revocation& one : *entries) out.push_back(one.json());
  return out;
}

feed::Item item(const std::string& key, const std::string& space, const std::string& endpoint,
                const std::string& file) {
  return {key, space, endpoint, std::make_shared<const std::string>(recorded(file))};
}

feed::Fact fact(const std::string& file) {
  const char* problem = "";
  const auto message = feed::parse(recorded(file), problem);
  EXPECT_TRUE(message) << file << ": " << problem;
  return message ? std::get<feed::Fact>(*message) : feed::Fact();
}

TEST(Recorded, EndpointOfSchema1) {
  const ReadAnnounced read = read_announced(recorded("schema1/endpoint"));
  ASSERT_TRUE(read.endpoint) << read.problem;
  const config::Endpoint& endpoint = read.endpoint->endpoint;
  EXPECT_EQ(endpoint.id, "abc123");
  EXPECT_EQ(endpoint.virtual_cluster, "analytics");
  EXPECT_EQ(endpoint.execution_role_arn, "arn:aws:iam::111122223333:role/analyst");
  EXPECT_FALSE(endpoint.strip_prefix);
  EXPECT_TRUE(endpoint.notebook_sessions);
  EXPECT_THAT(endpoint.allowed_origins, ElementsAre("https://studio.example.com"));
  EXPECT_EQ(endpoint.allow_sources.size(), 2U);
  EXPECT_THAT(endpoint.specs, ElementsAre("python3", "spark_python_kubernetes"));
  EXPECT_THAT(endpoint.kernels.pass, ElementsAre("SPARK_OPTS", "TZ"));
  EXPECT_EQ(endpoint.quotas.kernels, 5U);
  EXPECT_EQ(endpoint.sharing.kind, config::Sharing::Kind::kOwner);
  const config::Gateway& gateway = endpoint.gateway;
  EXPECT_EQ(gateway.gone_after.count(), 3'000);
  EXPECT_EQ(gateway.kernel_launch_timeout.count(), 90'000);
  EXPECT_EQ(gateway.health_check.unhealthy_after, 3U);
  EXPECT_EQ(gateway.identity_headers.subject, "X-Auth-User");
  ASSERT_TRUE(gateway.tls);
  EXPECT_EQ(gateway.tls->server_name, "jeg.analytics.svc");
  EXPECT_TRUE(read.endpoint->texts.contains(gateway.tls->ca_file.substr(sizeof "feed:" - 1)));
  EXPECT_EQ(read.endpoint->texts.at(gateway.token_file.substr(sizeof "feed:" - 1)),
            "gateway-secret");
  ASSERT_EQ(endpoint.sessions.authenticators.size(), 1U);
  const auto& jwt = std::get<config::JwtSessions>(endpoint.sessions.authenticators[0]);
  EXPECT_EQ(jwt.issuer, "https://studio.example.com");
  EXPECT_EQ(jwt.subject_claim, "email");
  EXPECT_THAT(jwt.algorithms, ElementsAre("ES256"));
  EXPECT_EQ(endpoint.sessions.rules.max_lifetime_ms, 12U * 3'600'000U);
  EXPECT_THAT(endpoint.policy.allow.groups, ElementsAre("analysts"));
  EXPECT_THAT(endpoint.policy.support.groups, ElementsAre("operators"));
}

TEST(Recorded, RoutesAndPodsOfSchema1) {
  const ReadAnnounced read = read_announced(recorded("schema1/endpoint"));
  ASSERT_TRUE(read.endpoint) << read.problem;
  std::vector<std::string> routes;
  for (const AnnouncedRoute& route : read.endpoint->routes) {
    routes.push_back(route.host + route.path + (route.type == PathType::kExact ? " exact" : ""));
  }
  EXPECT_THAT(routes, UnorderedElementsAre("nb.analytics.example.com", "*.lab.example.com/nb",
                                           "*.lab.example.com/status exact"));
  ASSERT_EQ(read.endpoint->pods.size(), 2U);
  const AnnouncedPod& stays = read.endpoint->pods[0];
  const AnnouncedPod& leaves = read.endpoint->pods[1];
  EXPECT_EQ(stays.name, "jeg-0");
  EXPECT_EQ(stays.uid, "0b0e7d0c-77aa-4a6e-b3f4-4d6e0c7c0001");
  EXPECT_EQ(config::address_text(stays.address), "10.0.3.17:8888");
  EXPECT_TRUE(stays.ready && stays.serving);
  EXPECT_TRUE(!leaves.ready && leaves.serving);
}

TEST(Recorded, CertificateOfSchema1) {
  const ReadCertificate read =
      read_announced_certificate("certificate/analytics/front", recorded("schema1/certificate"));
  ASSERT_EQ(read.problem, "");
  EXPECT_THAT(read.certificate->hosts,
              UnorderedElementsAre("nb.analytics.example.com", "*.lab.example.com"));
  EXPECT_TRUE(read.certificate->speaks_for("nb.analytics.example.com"));
}

TEST(Recorded, RevocationsOfSchema1) {
  EXPECT_THAT(entries_in(item("revocations", "", "", "schema1/revocations")),
              ElementsAre(entry(Kind::kToken, "", "t1", ""),
                          entry(Kind::kSession, "", "s1", "", 0, 4'102'444'800),
                          entry(Kind::kSubject, "studio", "alice", "", 1'700'000'000),
                          entry(Kind::kEndpoint, "", "abc123", "")));
}

TEST(Recorded, FactsOfProtocol1) {
  const auto revoke = RevocationNotice::of(fact("protocol1/revoke"));
  ASSERT_TRUE(revoke);
  EXPECT_TRUE(revoke->revoked);
  EXPECT_EQ(revoke->revocation.json(), entry(Kind::kSubject, "studio", "bob", "analytics/abc123"));
  const auto taken_back = RevocationNotice::of(fact("protocol1/unrevoke"));
  ASSERT_TRUE(taken_back);
  EXPECT_FALSE(taken_back->revoked);
  EXPECT_EQ(taken_back->revocation.json(), entry(Kind::kToken, "", "t1", ""));

  const feed::Fact renew = fact("protocol1/renew");
  EXPECT_EQ(renew.scope_namespace + "/" + renew.endpoint, "analytics/abc123");
  EXPECT_EQ(renew.id, "0123456789abcdef");
  const Renewal alice{auth::mark_of(Kind::kSubject, "studio", "alice"),
                      auth::mark_of(Kind::kToken, "", "t3"),
                      auth::mark_of(Kind::kSession, "", "s3"), 1'700'000'000, 1'700'000'900};
  Renewal bob;
  bob.subject = auth::mark_of(Kind::kSubject, "studio", "bob");
  bob.expires_at = 1'700'003'600;
  EXPECT_EQ(read_renewals(renew.bytes), (std::vector{alice, bob}));
}

// All items of the records above under one version, and the lists of two narrower scopes.
TEST(Recorded, DiskCopy1) {
  const Secret key("0123456789012345678901234567890123456789");
  feed::HeldState state;
  std::string problem;
  ASSERT_EQ(feed::read_copy(recorded("copy1/copy"), key, 1, feed::kSchema, state, problem),
            feed::Copy::kLoaded)
      << problem;
  EXPECT_EQ(state.staged().to, (feed::Version{3, 14}));
  std::map<std::string, feed::Item> items;
  for (const feed::Item& one : state.staged().upserts) items.emplace(one.key, one);
  ASSERT_EQ(items.size(), 5U);
  const feed::Item& endpoint = items.at("endpoint/analytics/abc123");
  EXPECT_EQ(endpoint.scope_namespace + "/" + endpoint.endpoint, "analytics/abc123");
  EXPECT_EQ(*endpoint.payload, recorded("schema1/endpoint"));
  EXPECT_EQ(*items.at("certificate/analytics/front").payload, recorded("schema1/certificate"));
  EXPECT_EQ(*items.at("revocations").payload, recorded("schema1/revocations"));
  EXPECT_THAT(entries_in(items.at("revocations/analytics")),
              ElementsAre(entry(Kind::kToken, "", "t2", "analytics")));
  EXPECT_THAT(entries_in(items.at("revocations/analytics/abc123")),
              ElementsAre(entry(Kind::kSubject, "studio", "bob", "analytics/abc123")));
}

}  // namespace kg::routing::recorded_test
