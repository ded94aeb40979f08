#include "routing/policy_compiler.h"

#include <gtest/gtest.h>

#include "config/loader.h"

namespace kg::routing::policy_compiler_test {

using kernel::Operation;

TEST(PolicyCompiler, TakesEverythingOver) {
  config::Endpoint wanted;
  wanted.id = "ep";
  wanted.virtual_cluster = "analytics";
  wanted.execution_role_arn = "arn";
  wanted.policy.allow = {{"r"}, {"s"}, {"g"}, {{"c", {"v"}}}};
  wanted.policy.support.groups = {"helpdesk"};
  wanted.policy.rules = {{true, {"DeleteKernel", "Other"}, {{}, {"a"}, {}, {}}},
                         {false, {"*"}, {{}, {"*"}, {}, {}}}};
  wanted.specs = {"python3"};
  const auth::Policy policy = compile_policy(wanted);
  EXPECT_EQ(policy.endpoint_id, "ep");
  EXPECT_EQ(policy.virtual_cluster, "analytics");
  EXPECT_EQ(policy.execution_role_arn, "arn");
  EXPECT_EQ(policy.allowed.realms, wanted.policy.allow.realms);
  EXPECT_EQ(policy.allowed.subjects, wanted.policy.allow.subjects);
  EXPECT_EQ(policy.allowed.groups, wanted.policy.allow.groups);
  EXPECT_EQ(policy.allowed.claims, wanted.policy.allow.claims);
  EXPECT_EQ(policy.support.groups, wanted.policy.support.groups);
  EXPECT_EQ(policy.specs, wanted.specs);
  ASSERT_EQ(policy.rules.size(), 2U);
  EXPECT_TRUE(policy.rules[0].allows);
  EXPECT_EQ(policy.rules[0].operations,
            auth::OperationSet().with(Operation::kDeleteKernel).with(Operation::kOther));
  EXPECT_FALSE(policy.rules[1].allows);
  EXPECT_EQ(policy.rules[1].operations, auth::OperationSet::all());
}

TEST(PolicyCompiler, OfAnEmptyConfigurationAllowsNothing) {
  auth::Principal who;
  who.subject = "alice";
  who.expires_at = 1;
  EXPECT_FALSE(compile_policy(config::Endpoint()).allow(who, 0));
}

// The configuration's names of operations are written apart from the kernel's.
std::vector<config::ConfigError> errors_of_rule(const std::string& operation) {
  const std::string text =
      "listeners: [{address: 127.0.0.1:0}]\n"
      "endpoints:\n"
      "  - id: a\n"
      "    hosts: [a.test]\n"
      "    gateway: {pods: [{address: 127.0.0.1:1}]}\n"
      "    sessions: {jwt: {issuer: i, audience: a, keys_file: /dev/null}, operations: [{deny: [" +
      operation + "]}]}\n";
  std::vector<config::ConfigError> out;
  for (config::ConfigError& error : config::load_text(text, "/tmp/kernelgate.yaml").errors) {
    if (error.key.find("operations") != std::string::npos) out.push_back(std::move(error));
  }
  return out;
}

TEST(PolicyCompiler, KnowsTheOperationsThatAConfigurationMayName) {
  for (uint8_t i = 0; i < kernel::kOperationCount; ++i) {
    const auto operation = static_cast<Operation>(i);
    const std::string name(kernel::operation_name(operation));
    EXPECT_EQ(errors_of_rule(name).empty(), operation != Operation::kLocal) << name;
  }
  const auto errors = errors_of_rule("Nothing");
  ASSERT_EQ(errors.size(), 1U);
  std::istringstream words(errors[0].remedy);
  size_t names = 0;
  for (std::string word; words >> word;) {
    if (word.ends_with(',')) word.pop_back();
    if (kernel::operation_named(word)) ++names;
  }
  EXPECT_EQ(names, kernel::kOperationCount - 1U);
}

}  // namespace kg::routing::policy_compiler_test
