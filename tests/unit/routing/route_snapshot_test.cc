#include "routing/route_snapshot.h"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

namespace kg::routing::route_snapshot_test {

struct Rule {
  std::string host;
  std::string prefix;
  std::string id;
};

// Rules with equal id share an endpoint, as the hosts of one endpoint do.
RouteSnapshot snapshot(const std::vector<Rule>& rules, uint64_t version = 1) {
  std::map<std::string, EndpointRef> endpoints;
  std::vector<Route> routes;
  for (const Rule& rule : rules) {
    EndpointRef& ref = endpoints[rule.id];
    if (ref == nullptr) {
      auto made = std::make_shared<Endpoint>();
      made->id = rule.id;
      ref = std::move(made);
    }
    routes.push_back({rule.host, rule.prefix, ref});
  }
  return {version, std::move(routes)};
}

// "id rest", "-" for no route.
std::string found(const RouteSnapshot& routes, std::string_view authority, std::string_view path) {
  const Match match = routes.match(authority, path);
  if (match.endpoint == nullptr) return "-";
  return (*match.endpoint)->id + " " + std::string(match.path);
}

TEST(RouteSnapshot, WithoutRoutesFindsNothing) {
  const RouteSnapshot routes = snapshot({}, 7);
  EXPECT_EQ(found(routes, "a.test", "/"), "-");
  EXPECT_EQ(found(routes, "", "/api"), "-");
  EXPECT_EQ(routes.version(), 7U);
  EXPECT_EQ(routes.endpoints().size(), 0U);
}

TEST(RouteSnapshot, CountsEndpointsNotRoutes) {
  const RouteSnapshot routes =
      snapshot({{"a.test", "", "a"}, {"b.test", "", "a"}, {"", "/p", "b"}});
  EXPECT_EQ(routes.endpoints().size(), 2U);
}

TEST(RouteSnapshot, TheLongestPrefixWins) {
  const RouteSnapshot routes = snapshot(
      {{"a.test", "", "root"}, {"a.test", "/p", "p"}, {"a.test", "/p/q/r", "r"}, {"", "/x", "x"}});
  EXPECT_EQ(found(routes, "a.test", "/api"), "root /api");
  EXPECT_EQ(found(routes, "a.test", "/"), "root /");
  EXPECT_EQ(found(routes, "a.test", "/p/api"), "p /api");
  EXPECT_EQ(found(routes, "a.test", "/p/q/api"), "p /q/api");
  EXPECT_EQ(found(routes, "a.test", "/p/q/r/api"), "r /api");
  EXPECT_EQ(found(routes, "a.test", "/p/q/r"), "r /");
  EXPECT_EQ(found(routes, "a.test", "/p/q/r/"), "r /");
}

TEST(RouteSnapshot, PrefixesMatchByElement) {
  const RouteSnapshot routes = snapshot({{"a.test", "/a", "a"}, {"a.test", "/b/c", "bc"}});
  EXPECT_EQ(found(routes, "a.test", "/a"), "a /");
  EXPECT_EQ(found(routes, "a.test", "/a/"), "a /");
  EXPECT_EQ(found(routes, "a.test", "/a//x"), "a //x");
  for (const char* path : {"/ab", "/ab/c", "/A", "/", "//a", "/b", "/b/", "/b/cd", "/b/c%2Fd"}) {
    EXPECT_EQ(found(routes, "a.test", path), "-") << path;
  }
  EXPECT_EQ(found(routes, "a.test", "/b/c/d"), "bc /d");
}

TEST(RouteSnapshot, TheHostsOwnRoutesComeFirst) {
  const RouteSnapshot routes = snapshot(
      {{"", "/p/long", "any"}, {"", "", "any-root"}, {"a.test", "/p", "own"}, {"b.test", "", "b"}});
  EXPECT_EQ(found(routes, "a.test", "/p/long/x"), "own /long/x");
  EXPECT_EQ(found(routes, "b.test", "/p/long/x"), "b /p/long/x");
  EXPECT_EQ(found(routes, "other.test", "/p/long/x"), "any /x");
  EXPECT_EQ(found(routes, "a.test", "/q"), "any-root /q") << "no route of its own fits";
  EXPECT_EQ(found(routes, "", "/q"), "any-root /q") << "HTTP/1.0 without Host";
}

TEST(RouteSnapshot, PortCaseAndTrailingDotOfTheHostDoNotMatter) {
  const RouteSnapshot routes = snapshot({{"a.test", "", "a"}});
  for (const char* authority :
       {"a.test", "a.test:443", "a.test:", "A.Test", "a.test.", "A.TEST.:8443"}) {
    EXPECT_EQ(found(routes, authority, "/x"), "a /x") << authority;
  }
  for (const char* authority : {"", "b.test", "xa.test", "a.test.x", "a.tes", "a.test..", ".a.test",
                                ":443", "a.test x", "[a.test]"}) {
    EXPECT_EQ(found(routes, authority, "/x"), "-") << authority;
  }
}

TEST(RouteSnapshot, AddressesAreHostsToo) {
  const RouteSnapshot routes = snapshot({{"[2001:db8::a]", "", "six"}, {"10.0.0.1", "", "four"}});
  EXPECT_EQ(found(routes, "[2001:db8::a]", "/"), "six /");
  EXPECT_EQ(found(routes, "[2001:DB8::A]:8443", "/"), "six /");
  EXPECT_EQ(found(routes, "[2001:db8::b]:8443", "/"), "-");
  EXPECT_EQ(found(routes, "10.0.0.1:443", "/"), "four /");
}

TEST(RouteSnapshot, OfEqualRoutesTheFirstHolds) {
  const RouteSnapshot routes = snapshot({{"a.test", "/p", "first"}, {"a.test", "/p", "second"}});
  EXPECT_EQ(found(routes, "a.test", "/p"), "first /");
}

TEST(RouteSnapshot, TheMatchPointsIntoThePathThatWasAsked) {
  const RouteSnapshot routes = snapshot({{"", "/p", "a"}});
  const std::string path = "/p/api/kernels";
  const Match match = routes.match("x", path);
  EXPECT_EQ(match.path.data(), path.data() + 2);
}

TEST(RouteSnapshot, TenThousandRoutesAreAllFound) {
  std::vector<Rule> rules{{"", "", "fallback"}};
  for (int i = 0; i < 5'000; ++i) {
    const std::string n = std::to_string(i);
    rules.push_back({"h" + n + ".test", i % 2 == 0 ? "" : "/e", "h" + n});
    rules.push_back({"shared.test", "/team" + n + "/a", "t" + n});
  }
  const RouteSnapshot routes = snapshot(rules);
  EXPECT_EQ(routes.endpoints().size(), 10'001U);
  int wrong = 0;
  for (int i = 0; i < 5'000; ++i) {
    const std::string n = std::to_string(i);
    wrong +=
        found(routes, "H" + n + ".test:443", "/e/x") != "h" + n + (i % 2 == 0 ? " /e/x" : " /x");
    wrong += found(routes, "shared.test", "/team" + n + "/a/x") != "t" + n + " /x";
    wrong += found(routes, "shared.test", "/team" + n + "/ax") != "fallback /team" + n + "/ax";
  }
  EXPECT_EQ(wrong, 0);
}

TEST(NormalisedHost, UsesStorageOnlyWhenItMust) {
  std::string storage;
  const std::string plain = "a.test:443";
  EXPECT_EQ(normalised_host(plain, storage).data(), plain.data());
  EXPECT_EQ(storage, "");
  EXPECT_EQ(normalised_host("A.test.", storage), "a.test");
}

TEST(Endpoint, PutsItsPrefixBackOnlyIfItTookItAway) {
  Endpoint endpoint;
  endpoint.path_prefix = "/p";
  EXPECT_EQ(endpoint.location_prefix(), "/p");
  endpoint.strip_prefix = false;
  EXPECT_EQ(endpoint.location_prefix(), "");
}

}  // namespace kg::routing::route_snapshot_test
