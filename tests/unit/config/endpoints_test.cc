// Hosts, prefixes, ids and clashes between endpoints.
#include <gmock/gmock.h>

#include "config/loader.h"
#include "config_folder.h"

namespace kg::config::endpoints_test {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Endpoints in one line each, from line 7 on; `route` is hosts and path_prefix.
std::string endpoints(const std::vector<std::pair<std::string, std::string>>& id_and_route) {
  const std::string text = minimal();
  std::string out = text.substr(0, text.find("  - id"));
  for (const auto& [id, route] : id_and_route) {
    out += "  - {id: " + id + ", " + route +
           ", gateway: {pods: [{address: 127.0.0.1:1}]}, sessions: {jwt: {issuer: i, audience: a, "
           "keys_file: secrets/jwks.json}}}\n";
  }
  return out;
}

TEST(Endpoints, EqualIdsClash) {
  const ConfigFolder folder;
  EXPECT_THAT(
      folder.problems(endpoints({{"a", "hosts: [a.test]"}, {"a", "hosts: [b.test]"}})),
      ElementsAre("9 endpoints[1].id: \"a\" is already the id of endpoints[0].id (line 8)"));
}

TEST(Endpoints, EqualHostAndPrefixClash) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(endpoints({{"a", "hosts: [x.test, a.test], path_prefix: /p"},
                                         {"b", "hosts: [y.test, a.test], path_prefix: /p"}})),
              ElementsAre("9 endpoints[1].hosts[1]: \"a.test/p\" is already a route of "
                          "endpoints[0].hosts[1] (line 8)"));
  EXPECT_THAT(folder.problems(endpoints({{"a", "path_prefix: /p"}, {"b", "path_prefix: /p"}})),
              ElementsAre("9 endpoints[1].path_prefix: \"/p\" is already a route of "
                          "endpoints[0].path_prefix (line 8)"));
  EXPECT_THAT(folder.problems(endpoints({{"a", "hosts: [a.test, a.test]"}})),
              ElementsAre(HasSubstr("8 endpoints[0].hosts[1]: \"a.test\" is already")));
}

TEST(Endpoints, DifferentPrefixesAndListedHostsDoNotClash) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(endpoints({{"a", "hosts: [a.test]"},
                                         {"b", "hosts: [a.test], path_prefix: /p"},
                                         {"c", "hosts: [a.test], path_prefix: /p/q"},
                                         {"d", "path_prefix: /p"}})),
              IsEmpty());
}

TEST(Endpoints, ABrokenPrefixClaimsNothing) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(
                  endpoints({{"a", "hosts: [a.test]"}, {"b", "hosts: [a.test], path_prefix: /P"}})),
              ElementsAre("9 endpoints[1].path_prefix: upper-case letters in a prefix"));
}

TEST(Endpoints, NeedHostsOrPrefix) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(endpoints({{"a", "strip_prefix: false"}})),
              ElementsAre("8 endpoints[0]: no way leads to this endpoint"));
}

TEST(Endpoints, HttpInNamesIsAWarning) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(endpoints({{"a", "hosts: [httpbin.test], path_prefix: /my-http"}})),
              ElementsAre(HasSubstr("~8 endpoints[0].hosts[0]: \"httpbin.test\" holds \"http\""),
                          HasSubstr("~8 endpoints[0].path_prefix: \"/my-http\" holds \"http\"")));
}

TEST(Endpoints, OneOfThemMayBeRefusedForItsNumber) {
  const ConfigFolder folder;
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 10'001; ++i)
    many.emplace_back("e" + std::to_string(i), "path_prefix: /e" + std::to_string(i));
  EXPECT_THAT(folder.problems(endpoints(many)),
              ElementsAre("7 endpoints: 10001 entries are too many"));
}

}  // namespace kg::config::endpoints_test
