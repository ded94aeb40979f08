#include "auth/policy.h"

#include <gtest/gtest.h>

#include <tuple>

namespace kg::auth::policy_test {

using kernel::Operation;

constexpr int64_t kNow = 1'800'000'000;
constexpr const char* kHere = "abc123";
constexpr const char* kRole = "arn:aws:iam::111122223333:role/analytics";

Principal alice() {
  Principal who;
  who.realm = "studio";
  who.subject = "alice";
  who.groups = {"analytics", "staff"};
  who.claims = {{"department", "data"}, {"department", "ml"}, {"clearance", "high"}};
  who.expires_at = kNow + 60;
  return who;
}

Principal alice_of(const char* endpoint) {
  Principal who = alice();
  who.endpoint = endpoint;
  return who;
}

Policy policy_allowing(People people) {
  Policy policy;
  policy.endpoint_id = kHere;
  policy.allowed = std::move(people);
  return policy;
}

People subjects(std::vector<std::string> names) { return {{}, std::move(names), {}, {}}; }
People groups(std::vector<std::string> names) { return {{}, {}, std::move(names), {}}; }
People claims(std::vector<People::ClaimRule> rules) { return {{}, {}, {}, std::move(rules)}; }

std::string_view verdict(const Policy& policy, const Principal& who, Operation operation) {
  const Result<void> let_in = policy.allow(who, kNow);
  if (!let_in) return let_in.error().row().label;
  const Result<Grant> grant = policy.permit(who, operation);
  if (!grant) return grant.error().row().label;
  return grant->support ? "support" : "yes";
}

std::vector<Operation> every_operation() {
  std::vector<Operation> all;
  for (uint8_t i = 0; i < kernel::kOperationCount; ++i) all.push_back(static_cast<Operation>(i));
  return all;
}

TEST(Policy, WhoIsNamed) {
  const std::vector<std::tuple<const char*, People, bool>> table = {
      {"nobody", {}, false},
      {"realm alone", {{"studio"}, {}, {}, {}}, false},
      {"subject", subjects({"bob", "alice"}), true},
      {"another subject", subjects({"bob"}), false},
      {"no subject by prefix", subjects({"alic", "alice2"}), false},
      {"no subject in another case", subjects({"Alice"}), false},
      {"a pattern is no pattern", subjects({"al*", "**"}), false},
      {"star", subjects({"*"}), true},
      {"star of this realm", {{"studio"}, {"*"}, {}, {}}, true},
      {"star of another realm", {{"hub"}, {"*"}, {}, {}}, false},
      {"subject of another realm", {{"hub"}, {"alice"}, {"staff"}, {}}, false},
      {"group", groups({"x", "staff"}), true},
      {"another group", groups({"ops"}), false},
      {"a star is no group", groups({"*"}), false},
      {"a subject is no group", groups({"alice"}), false},
      {"claim, first value", claims({{"department", {"data"}}}), true},
      {"claim, second value", claims({{"department", {"x", "ml"}}}), true},
      {"claim, another value", claims({{"department", {"hr"}}}), false},
      {"another claim", claims({{"team", {"data"}}}), false},
      {"both claims", claims({{"department", {"ml"}}, {"clearance", {"high"}}}), true},
      {"one of two claims", claims({{"department", {"ml"}}, {"clearance", {"low"}}}), false},
      {"a claim without values", claims({{"department", {}}}), false},
      {"subject, but not the group", {{}, {"alice"}, {"ops"}, {}}, true},
      {"group, but not the claims", {{}, {"bob"}, {"staff"}, {{"team", {"x"}}}}, true},
  };
  for (const auto& [name, people, expected] : table) {
    EXPECT_EQ(people.include(alice()), expected) << name;
    EXPECT_EQ(policy_allowing(people).allow(alice(), kNow).has_value(), expected) << name;
  }
}

TEST(Policy, WithoutAnyRuleNothingIsAllowed) {
  for (const char* endpoint : {"", kHere, "other"}) {
    for (const Operation operation : every_operation()) {
      EXPECT_EQ(verdict(Policy(), alice_of(endpoint), operation), "forbidden") << endpoint;
      EXPECT_FALSE(Policy().permit(alice_of(endpoint), operation)) << endpoint;
    }
  }
  Policy only_named;
  only_named.endpoint_id = kHere;
  EXPECT_FALSE(only_named.allow(alice(), kNow)) << "the token names no endpoint";
  EXPECT_TRUE(only_named.allow(alice_of(kHere), kNow));
}

TEST(Policy, ASessionEndsWithItsSecond) {
  const Policy policy = policy_allowing(subjects({"*"}));
  Principal who = alice();
  who.expires_at = kNow + 1;
  EXPECT_TRUE(policy.allow(who, kNow));
  who.expires_at = kNow;
  EXPECT_EQ(policy.allow(who, kNow).error().code, ErrorCode::kSessionExpired);
}

// Its id may have been somebody else's before, in another namespace.
TEST(Policy, AnEndpointOfAnotherVirtualClusterIsAnother) {
  Policy policy = policy_allowing(subjects({"*"}));
  policy.virtual_cluster = "analytics";
  policy.support = subjects({"*"});
  for (const char* endpoint : {"", kHere}) {
    Principal who = alice_of(endpoint);
    EXPECT_TRUE(policy.allow(who, kNow)) << "it does not say";
    who.virtual_cluster = "analytics";
    EXPECT_TRUE(policy.allow(who, kNow));
    for (const char* other : {"science", "analytic", "Analytics", "analytics "}) {
      who.virtual_cluster = other;
      EXPECT_EQ(verdict(policy, who, Operation::kListKernels), "forbidden") << other;
    }
  }
}

// Every combination of what a token says, whom the policy names, and what is asked for.
TEST(Policy, EveryCombination) {
  const std::vector<People> named = {{},
                                     subjects({"alice"}),
                                     groups({"staff"}),
                                     claims({{"clearance", {"high"}}}),
                                     subjects({"*"}),
                                     subjects({"bob"})};
  size_t passed = 0;
  for (const char* endpoint : {"", kHere, "other"}) {
    for (const char* role : {"", kRole, "arn:aws:iam::111122223333:role/other"}) {
      for (const char* endpoint_role : {"", kRole}) {
        for (size_t allowed = 0; allowed < named.size(); ++allowed) {
          for (size_t support = 0; support < named.size(); ++support) {
            for (const Operation operation : every_operation()) {
              Policy policy = policy_allowing(named[allowed]);
              policy.support = named[support];
              policy.execution_role_arn = endpoint_role;
              Principal who = alice_of(endpoint);
              who.role = role;
              const std::string token(endpoint);
              const bool is_named = allowed >= 1 && allowed <= 4;
              const bool is_support = support >= 1 && support <= 4;
              const bool for_support = operation == Operation::kListKernels ||
                                       operation == Operation::kInterruptKernel ||
                                       operation == Operation::kDeleteKernel;
              const bool member = token == kHere || (token.empty() && is_named);
              const bool wrong_role = *role != '\0' && *endpoint_role != '\0' &&
                                      std::string_view(role) != endpoint_role;
              std::string_view expected = "yes";
              if (token == "other" || wrong_role || (!member && !is_support)) {
                expected = "forbidden";
              } else if (is_support && for_support) {
                expected = "support";
              } else if (!member) {
                expected = "operation_forbidden";
              }
              if (expected == "yes" || expected == "support") ++passed;
              ASSERT_EQ(verdict(policy, who, operation), expected)
                  << "endpoint=" << endpoint << " role=" << role << " here=" << endpoint_role
                  << " allowed=" << allowed << " support=" << support << " "
                  << kernel::operation_name(operation);
            }
          }
        }
      }
    }
  }
  EXPECT_GT(passed, 0U);
}

TEST(Policy, TheFirstRuleThatSpeaksOfBothDecides) {
  constexpr auto kDelete = OperationSet().with(Operation::kDeleteKernel);
  constexpr auto kRestart = OperationSet().with(Operation::kRestartKernel);
  Policy policy = policy_allowing(subjects({"*"}));
  policy.rules = {{kDelete, subjects({"alice"}), true},
                  {kDelete, subjects({"*"}), false},
                  {kRestart, groups({"staff"}), false},
                  {kRestart, subjects({"alice"}), true}};
  EXPECT_EQ(verdict(policy, alice(), Operation::kDeleteKernel), "yes");
  EXPECT_EQ(verdict(policy, alice(), Operation::kRestartKernel), "operation_forbidden");
  EXPECT_EQ(verdict(policy, alice(), Operation::kGetKernel), "yes") << "no rule speaks of it";
  Principal bob = alice();
  bob.subject = "bob";
  bob.groups.clear();
  EXPECT_EQ(verdict(policy, bob, Operation::kDeleteKernel), "operation_forbidden");
  EXPECT_EQ(verdict(policy, bob, Operation::kRestartKernel), "yes");
}

TEST(Policy, ARuleOpensNothingToStrangers) {
  Policy policy;
  policy.endpoint_id = kHere;
  policy.rules = {{OperationSet::all(), subjects({"*"}), true}};
  for (const Operation operation : every_operation()) {
    EXPECT_EQ(verdict(policy, alice(), operation), "forbidden");
    EXPECT_EQ(verdict(policy, alice_of("other"), operation), "forbidden");
    EXPECT_FALSE(policy.permit(alice(), operation));
  }
}

TEST(Policy, RulesBindSupportToo) {
  Policy policy;
  policy.endpoint_id = kHere;
  policy.support = groups({"staff"});
  policy.rules = {{OperationSet().with(Operation::kDeleteKernel), subjects({"*"}), false}};
  EXPECT_EQ(verdict(policy, alice(), Operation::kDeleteKernel), "operation_forbidden");
  EXPECT_EQ(verdict(policy, alice(), Operation::kInterruptKernel), "support");
}

TEST(Policy, ARuleWithoutOperationsOrPeopleSaysNothing) {
  Policy policy = policy_allowing(subjects({"*"}));
  policy.rules = {{OperationSet(), subjects({"*"}), false}, {OperationSet::all(), {}, false}};
  for (const Operation operation : every_operation()) {
    EXPECT_EQ(verdict(policy, alice(), operation), "yes");
  }
}

TEST(Policy, SpecsAreShownByExactName) {
  Policy policy;
  EXPECT_TRUE(policy.shows_spec("anything")) << "no list";
  policy.specs = {"python3", "spark_python_kubernetes"};
  EXPECT_TRUE(policy.shows_spec("python3"));
  for (const char* name : {"", "Python3", "python", "python33", "ir"}) {
    EXPECT_FALSE(policy.shows_spec(name)) << name;
  }
}

TEST(Policy, AsksAuthenticatorsForItsClaimsOnce) {
  EXPECT_TRUE(Policy().claims_wanted().empty());
  const Policy policy = policy_allowing(claims({{"a", {"1"}}, {"b", {"2"}}, {"a", {"3"}}}));
  EXPECT_EQ(policy.claims_wanted(), (std::vector<std::string>{"a", "b"}));
}

}  // namespace kg::auth::policy_test
