#include "routing/route_snapshot.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace kg::routing::route_snapshot_test {

struct Rule {
  std::string host;
  std::string path;
  std::string id;
  PathType type = PathType::kPrefix;
};
constexpr PathType kExact = PathType::kExact;

// Rules with equal id share an endpoint, as the hosts of one endpoint do.
std::vector<Route> routes_of(const std::vector<Rule>& rules) {
  std::map<std::string, EndpointRef> endpoints;
  std::vector<Route> routes;
  for (const Rule& rule : rules) {
    EndpointRef& ref = endpoints[rule.id];
    if (ref == nullptr) {
      auto made = std::make_shared<Endpoint>();
      made->id = rule.id;
      ref = std::move(made);
    }
    routes.push_back({rule.host, rule.path, ref, rule.type});
  }
  return routes;
}

RouteSnapshot snapshot(const std::vector<Rule>& rules, uint64_t version = 1) {
  return {version, routes_of(rules)};
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

// domain K1, K2
TEST(RouteSnapshot, AWildcardIsOneLabelOfHostsThatNobodyLists) {
  const RouteSnapshot routes = snapshot({{"*.foo.test", "", "star"},
                                         {"own.foo.test", "/p", "own"},
                                         {"*.a.foo.test", "/deep", "deep"},
                                         {"", "/d", "any"}});
  EXPECT_EQ(found(routes, "bar.foo.test", "/x"), "star /x");
  EXPECT_EQ(found(routes, "BAR.foo.test.:443", "/x"), "star /x");
  EXPECT_EQ(found(routes, "own.foo.test", "/p/x"), "own /x");
  EXPECT_EQ(found(routes, "own.foo.test", "/x"), "-") << "the host has routes of its own";
  EXPECT_EQ(found(routes, "own.foo.test", "/d/x"), "any /x");
  EXPECT_EQ(found(routes, "x.a.foo.test", "/deep"), "deep /");
  EXPECT_EQ(found(routes, "x.a.foo.test", "/x"), "-");
  for (const char* host : {"foo.test", "a.b.foo.test", ".foo.test", "xfoo.test", "*foo.test"}) {
    EXPECT_EQ(found(routes, host, "/x"), "-") << host;
  }
}

// domain K5, K6
TEST(RouteSnapshot, AnExactPathComesBeforeAPrefixOfItsLength) {
  const RouteSnapshot routes = snapshot({{"a.test", "/foo", "prefix"},
                                         {"a.test", "/foo", "exact", kExact},
                                         {"a.test", "/foo/", "slash", kExact},
                                         {"a.test", "/", "root", kExact},
                                         {"b.test", "/foo", "b", kExact},
                                         {"b.test", "", "b-root"}});
  EXPECT_EQ(found(routes, "a.test", "/foo"), "exact /foo");
  EXPECT_EQ(found(routes, "a.test", "/foo/"), "slash /");
  EXPECT_EQ(found(routes, "a.test", "/foo/x"), "prefix /x");
  EXPECT_EQ(found(routes, "a.test", "/"), "root /");
  EXPECT_EQ(found(routes, "a.test", "/x"), "-");
  EXPECT_EQ(found(routes, "b.test", "/foo"), "b /foo");
  EXPECT_EQ(found(routes, "b.test", "/foo/"), "b-root /foo/");
  EXPECT_EQ(found(routes, "b.test", "/FOO"), "b-root /FOO");
}

TEST(RouteSnapshot, WhatIsForUnlistedHostsOnlyCatchesNothingOfOthers) {
  std::vector<Route> routes = routes_of({{"a.test", "/p", "a"}, {"", "", "stranger"}});
  routes[1].unlisted_only = true;
  const RouteSnapshot snapshot(1, routes);
  EXPECT_EQ(found(snapshot, "a.test", "/p"), "a /");
  EXPECT_EQ(found(snapshot, "a.test", "/x"), "-");
  EXPECT_EQ(found(snapshot, "b.test", "/x"), "stranger /x");
}

TEST(RouteSnapshot, AnEditLeavesTheOneBeforeItAsItWas) {
  const RouteSnapshot before = snapshot(
      {{"a.test", "", "a"}, {"a.test", "/p", "p"}, {"*.w.test", "", "star"}, {"", "/d", "any"}});
  const auto after =
      before.edited(2, routes_of({{"a.test", "/p", ""}, {"*.w.test", "", ""}, {"no.test", "", ""}}),
                    routes_of({{"b.test", "/q", "b"}, {"a.test", "/p/q", "pq"}}));
  EXPECT_EQ(after->version(), 2U);
  EXPECT_EQ(found(*after, "a.test", "/p/q/x"), "pq /x");
  EXPECT_EQ(found(*after, "a.test", "/p/x"), "a /p/x");
  EXPECT_EQ(found(*after, "b.test", "/q"), "b /");
  EXPECT_EQ(found(*after, "x.w.test", "/"), "-");
  EXPECT_EQ(found(*after, "x.w.test", "/d/y"), "any /y");
  EXPECT_EQ(found(before, "a.test", "/p/q/x"), "p /q/x");
  EXPECT_EQ(found(before, "b.test", "/q"), "-");
  EXPECT_EQ(found(before, "x.w.test", "/"), "star /");
}

TEST(RouteSnapshot, AHostWhoseLastRouteWentIsKnownNoMore) {
  const RouteSnapshot before = snapshot({{"a.w.test", "/p", "own"}, {"*.w.test", "", "star"}});
  EXPECT_EQ(found(before, "a.w.test", "/x"), "-");
  const auto after = before.edited(2, routes_of({{"a.w.test", "/p", ""}}), {});
  EXPECT_EQ(found(*after, "a.w.test", "/x"), "star /x");
}

// What is there before and after an edit by chance is what a snapshot made anew has.
TEST(RouteSnapshot, EditsByChanceComeToTheSameAsAFreshOne) {
  std::mt19937 chance(7);
  const auto rule = [&chance] {
    static const std::vector<std::string> hosts{"", "a.test", "b.test", "*.test", "c.b.test"};
    static const std::vector<std::string> paths{"", "/p", "/p/q", "/r", "/p/q/r"};
    return Rule{hosts[chance() % hosts.size()], paths[chance() % paths.size()], "",
                PathType::kPrefix};
  };
  std::map<std::pair<std::string, std::string>, Rule> held;
  auto edited = std::make_shared<const RouteSnapshot>(snapshot({}));
  for (int step = 0; step < 500; ++step) {
    std::vector<Rule> without;
    std::vector<Rule> with;
    for (int i = 0; i < 2; ++i) {
      without.push_back(rule());
      held.erase({without.back().host, without.back().path});
    }
    for (int i = 0; i < 2; ++i) {
      Rule fresh = rule();
      fresh.id = std::to_string(step) + "-" + std::to_string(i);
      if (held.try_emplace({fresh.host, fresh.path}, fresh).second) with.push_back(fresh);
    }
    edited = edited->edited(static_cast<uint64_t>(step), routes_of(without), routes_of(with));
    std::vector<Rule> all;
    for (const auto& [key, value] : held) all.push_back(value);
    const RouteSnapshot whole = snapshot(all);
    for (const char* host : {"a.test", "b.test", "z.test", "c.b.test", "d.b.test", ""}) {
      for (const char* path : {"/", "/p", "/p/q/x", "/r/x", "/p/q/r", "/x"}) {
        ASSERT_EQ(found(*edited, host, path), found(whole, host, path))
            << step << ' ' << host << path;
      }
    }
  }
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
