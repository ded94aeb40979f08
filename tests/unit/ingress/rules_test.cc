// Hosts and paths of rules (domain K1, K2, K5).
#include "routing/controller/ingress/rules.h"

#include <gmock/gmock.h>

namespace kg::ingress::rules_test {

struct HostCase {
  const char* written;
  const char* host;  // nullptr: refused
};

TEST(Rules, HostsAreNamesOrAWildcardForTheFirstLabel) {
  for (const HostCase& one : std::initializer_list<HostCase>{{"a.example.com", "a.example.com"},
                                                             {"A.Example.COM", "a.example.com"},
                                                             {"*.example.com", "*.example.com"},
                                                             {"", ""},
                                                             {"*", nullptr},
                                                             {"*.", nullptr},
                                                             {"a.*.example.com", nullptr},
                                                             {"*a.example.com", nullptr},
                                                             {"*.*.example.com", nullptr},
                                                             {"a.example.com:443", nullptr},
                                                             {"10.0.0.1", nullptr},
                                                             {"a.example.com.", nullptr},
                                                             {"a..example.com", nullptr},
                                                             {"https://a.example.com", nullptr}}) {
    const HostText read = parse_rule_host(one.written);
    EXPECT_EQ(read.host.has_value(), one.host != nullptr) << one.written;
    if (read.host && one.host != nullptr) {
      EXPECT_EQ(*read.host, one.host);
    }
    EXPECT_EQ(read.problem.empty(), read.host.has_value()) << one.written;
  }
}

struct PathCase {
  const char* written;
  const char* type;
  const char* path;  // nullptr: refused
};

TEST(Rules, PathsHaveOneForm) {
  for (const PathCase& one :
       std::initializer_list<PathCase>{{"/", "Prefix", "/"},
                                       {"/a", "Prefix", "/a"},
                                       {"/a/", "Prefix", "/a"},
                                       {"/a/b", "Prefix", "/a/b"},
                                       {"/a/", "Exact", "/a/"},
                                       {"/A", "Exact", "/A"},
                                       {"", "ImplementationSpecific", "/"},
                                       {"/*", "ImplementationSpecific", "/"},
                                       {"/a/*", "ImplementationSpecific", "/a"},
                                       {"/a", "ImplementationSpecific", "/a"},
                                       {"/*", "Prefix", "/*"},
                                       {"", "Prefix", nullptr},
                                       {"a", "Prefix", nullptr},
                                       {"/a", "", nullptr},
                                       {"/a", "Regex", nullptr},
                                       {"/a//b", "Prefix", nullptr},
                                       {"/a/../b", "Prefix", nullptr},
                                       {"/./a", "Prefix", nullptr},
                                       {"/a%2fb", "Prefix", nullptr},
                                       {"/a b", "Prefix", nullptr},
                                       {"/a?b", "Exact", nullptr},
                                       {"/a;b", "Exact", nullptr},
                                       {"/healthz", "Exact", nullptr},
                                       {"/readyz/a", "Prefix", nullptr}}) {
    const PathText read = parse_rule_path(one.written, one.type);
    EXPECT_EQ(read.path.has_value(), one.path != nullptr) << one.written << " " << one.type;
    if (read.path && one.path != nullptr) {
      EXPECT_EQ(*read.path, one.path);
    }
    EXPECT_EQ(read.problem.empty(), read.path.has_value()) << one.written;
  }
  EXPECT_FALSE(parse_rule_path("/" + std::string(256, 'a'), "Prefix").path);
}

TEST(Rules, AWildcardStandsForOneLabel) {
  EXPECT_TRUE(covers("*.example.com", "a.example.com"));
  EXPECT_FALSE(covers("*.example.com", "a.b.example.com"));
  EXPECT_FALSE(covers("*.example.com", "example.com"));
  EXPECT_TRUE(covers("*.example.com", "*.example.com"));
  EXPECT_EQ(wildcard_of("a.example.com"), "*.example.com");
  EXPECT_EQ(wildcard_of("*.example.com"), "");
  EXPECT_EQ(first_element("/a/b"), "/a");
  EXPECT_EQ(first_element("/"), "/");
}

}  // namespace kg::ingress::rules_test
