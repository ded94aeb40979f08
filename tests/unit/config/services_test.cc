// Authenticators that ask a service, and keys by URL.
#include <gmock/gmock.h>

#include "config/loader.h"
#include "config_folder.h"

namespace kg::config::services_test {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// One endpoint whose authenticators stand on line 8.
std::string with(const std::string& authenticators) {
  const std::string text = minimal();
  return text.substr(0, text.find("  - id")) +
         "  - {id: a, hosts: [a.test], gateway: {pods: [{address: 127.0.0.1:1}]}, sessions: "
         "{authenticators: [" +
         authenticators + "]}}\n";
}

std::string jwt(const std::string& keys) {
  return with("{jwt: {issuer: i, audience: a, " + keys + "}}");
}

const std::string kAt = "endpoints[0].sessions.authenticators[0].";

TEST(Services, KeysComeFromOnePlace) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(jwt("keys_url: \"https://i.test/jwks\"")), IsEmpty());
  EXPECT_THAT(
      folder.problems(jwt("keys_url: \"https://i.test/jwks\", keys_file: secrets/jwks.json")),
      ElementsAre("8 " + kAt + "jwt: names not one place of the issuer's keys"));
  EXPECT_THAT(folder.problems(jwt("realm: r")),
              ElementsAre("8 " + kAt + "jwt: names not one place of the issuer's keys"));
  EXPECT_THAT(folder.problems(jwt("keys_file: secrets/jwks.json, keys_stale: 1h")),
              ElementsAre("8 " + kAt + "jwt.keys_stale: goes with keys_url only"));
}

TEST(Services, OnlyHttpsDecidesWhoIsLetIn) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(jwt("keys_url: \"http://i.test/jwks\"")),
              ElementsAre(HasSubstr("keys_url: \"http://i.test/jwks\" is not encrypted")));
  EXPECT_THAT(folder.problems(jwt("keys_url: \"https://me@i.test/jwks\"")),
              ElementsAre(HasSubstr("\" names a user")));
  EXPECT_THAT(folder.problems(with("{delegated: {url: \"http://a.test/\"}}")),
              ElementsAre(HasSubstr("delegated.url: \"http://a.test/\" is not encrypted")));
}

TEST(Services, DefaultsAreAsDocumented) {
  const ConfigFolder folder;
  const Loaded loaded = folder.load(jwt("keys_url: \"https://i.test/jwks\""));
  ASSERT_TRUE(loaded.config);
  const auto& keys =
      std::get<JwtSessions>(loaded.config->endpoints[0].sessions.authenticators.at(0));
  EXPECT_EQ(keys.keys_url->url.text(), "https://i.test:443/jwks");
  EXPECT_EQ(keys.keys_refresh.count(), 0);
  EXPECT_EQ(keys.keys_stale.count(), 43'200'000);
  const Loaded gateway = folder.load(with("{delegated: {gateway: /api/kernelspecs}}"));
  ASSERT_TRUE(gateway.config);
  const auto& probe =
      std::get<DelegatedSessions>(gateway.config->endpoints[0].sessions.authenticators.at(0));
  EXPECT_FALSE(probe.service);
  EXPECT_EQ(probe.gateway_path, "/api/kernelspecs");
  EXPECT_EQ(probe.answers.timeout.count(), 5'000);
  EXPECT_EQ(probe.answers.believed.count(), 60'000);
  EXPECT_EQ(probe.answers.refused.count(), 5'000);
}

TEST(Services, SomebodyDecides) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(with("{delegated: {realm: r}}")),
              ElementsAre("8 " + kAt + "delegated: names not one who decides"));
  EXPECT_THAT(folder.problems(with("{delegated: {gateway: /api, url: \"https://a.test/\"}}")),
              ElementsAre("8 " + kAt + "delegated: names not one who decides"));
}

TEST(Services, AGatewayNamesNobody) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(with("{delegated: {gateway: /api, subject_header: X-User}}")),
              ElementsAre("8 " + kAt + "delegated.subject_header: goes with url only"));
  EXPECT_THAT(
      folder.problems(with("{delegated: {url: \"https://a.test/\", subject_header: \"X: User\"}}")),
      ElementsAre(HasSubstr("is no name of a header field")));
}

TEST(Services, IntrospectionNeedsItsCredentials) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(with("{introspection: {url: \"https://as.test/\", client_id: c, "
                                   "client_secret_file: secrets/introspection}}")),
              IsEmpty());
  EXPECT_THAT(
      folder.problems(with("{introspection: {url: \"https://as.test/\"}}")),
      testing::UnorderedElementsAre(HasSubstr("client_id: "), HasSubstr("client_secret_file: ")));
}

TEST(Services, AnEntryIsOfOneKind) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(with("{delegated: {gateway: /api}, jwt: {issuer: i, audience: a, "
                                   "keys_file: secrets/jwks.json}}")),
              ElementsAre(HasSubstr("authenticators[0]: is not one authenticator")));
}

}  // namespace kg::config::services_test
