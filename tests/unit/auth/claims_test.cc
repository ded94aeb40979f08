#include "auth/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kg::auth::claims_test {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

Result<Principal> read(std::string_view text, const ClaimNames& names = {}) {
  const JsonObject::Parsed parsed = JsonObject::parse(text);
  EXPECT_TRUE(parsed.object) << text;
  return read_claims(*parsed.object, names);
}

// Shortened tokens of identity providers, with the names that auth/README.md recommends for them.
TEST(Claims, ReadWhatIdentityProvidersSend) {
  const struct {
    const char* claims;
    ClaimNames names;
    const char* subject;
    std::vector<std::string> groups;
  } cases[] = {
      {R"({"sub":"8a7b","cognito:groups":["analysts","Data Admins"],"token_use":"id",)"
       R"("cognito:username":"alice"})",
       {"cognito:username", "endpoint", "cognito:groups", {}},
       "alice",
       {"analysts", "Data Admins"}},
      {R"({"sub":"alice@example.com","uid":"00u1","groups":["Everyone","analysts"],"scp":["x"]})",
       {},
       "alice@example.com",
       {"Everyone", "analysts"}},
      {R"({"oid":"6f1c","sub":"pairwise","roles":["Kernel.Use"],"groups":["0a1b"],"ver":"2.0"})",
       {"oid", "endpoint", "roles", {}},
       "6f1c",
       {"Kernel.Use"}}};
  for (const auto& one : cases) {
    const Result<Principal> principal = read(one.claims, one.names);
    ASSERT_TRUE(principal) << principal.error().detail;
    EXPECT_EQ(principal->subject, one.subject);
    EXPECT_EQ(principal->groups, one.groups);
    EXPECT_EQ(principal->endpoint, "");
  }
}

TEST(Claims, OneTextIsOneGroup) {
  const Result<Principal> principal = read(R"({"sub":"a","groups":"data admins"})");
  ASSERT_TRUE(principal);
  EXPECT_THAT(principal->groups, ElementsAre("data admins")) << "not a member of admins";
}

TEST(Claims, ThoseThatPolicyAsksForAreKept) {
  const ClaimNames names{"sub", "endpoint", "groups", {"a", "b", "c", "d", "e", "none"}};
  const Result<Principal> principal = read(
      R"({"sub":"s","a":"x","b":["y","z",7],"c":true,"d":{"x":1},"e":["u",["v"]],"f":"not asked"})",
      names);
  ASSERT_TRUE(principal);
  EXPECT_THAT(principal->claims,
              UnorderedElementsAre(Pair("a", "x"), Pair("b", "y"), Pair("b", "z"), Pair("b", "7"),
                                   Pair("c", "true")));
  EXPECT_THAT(read(R"({"sub":"s","a":"x"})")->claims, IsEmpty());
}

TEST(Claims, AnEndpointMayNeedItsVirtualCluster) {
  EXPECT_EQ(read(R"({"sub":"s","endpoint":"e","virtual_cluster":"v"})")->virtual_cluster, "v");
  EXPECT_EQ(read(R"({"sub":"s","endpoint":"e"})")->virtual_cluster, "");
  ClaimNames names;
  names.virtual_cluster = "space";
  names.needs_virtual_cluster = true;
  EXPECT_EQ(read(R"({"sub":"s","endpoint":"e","space":"v"})", names)->virtual_cluster, "v");
  EXPECT_TRUE(read(R"({"sub":"s"})", names)) << "whom the policy has to name";
  for (const char* claims :
       {R"({"sub":"s","endpoint":"e"})", R"({"sub":"s","endpoint":"e","space":""})",
        R"({"sub":"s","endpoint":"e","virtual_cluster":"v"})"}) {
    const Result<Principal> principal = read(claims, names);
    ASSERT_FALSE(principal) << claims;
    EXPECT_EQ(principal.error().code, ErrorCode::kForbidden) << claims;
  }
}

TEST(Claims, WhatCannotBeReadMakesAllUnusable) {
  const ClaimNames names{"sub", "endpoint", "groups", {"a"}};
  for (const char* claims :
       {R"({})", R"({"sub":""})", R"({"sub":7})", R"({"sub":"a\u0085"})", R"({"sub":"s","sid":7})",
        R"({"sub":"s","endpoint":["x"]})", R"({"sub":"s","virtual_cluster":7})",
        R"({"sub":"s","groups":7})", R"({"sub":"s","groups":[""]})", R"({"sub":"s","a":"x\n"})"}) {
    EXPECT_FALSE(read(claims, names)) << claims;
  }
}

}  // namespace kg::auth::claims_test
