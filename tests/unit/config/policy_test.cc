// Who may do what: allow, support, operations, kernels, quotas, identity headers.
#include <gmock/gmock.h>

#include "config/loader.h"
#include "config_folder.h"

namespace kg::config::policy_test {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

// The endpoint with more keys of its own (line 10), and of `sessions` (line 9) and `gateway`.
std::string with(const std::string& endpoint, const std::string& sessions = "",
                 const std::string& gateway = "") {
  const std::string text = minimal();
  std::string out = text.substr(0, text.find("  - id"));
  out += "  - id: a\n    gateway: {pods: [{address: 127.0.0.1:1}]" +
         (gateway.empty() ? "" : ", " + gateway) + "}\n";
  out += "    sessions: {jwt: {issuer: i, audience: a, keys_file: secrets/jwks.json}" +
         (sessions.empty() ? "" : ", " + sessions) + "}\n    hosts: [a.test]\n";
  return out + (endpoint.empty() ? "" : "    " + endpoint + "\n");
}
std::vector<std::string> problems(const std::string& endpoint, const std::string& sessions = "",
                                  const std::string& gateway = "") {
  return ConfigFolder().problems(with(endpoint, sessions, gateway));
}
Endpoint endpoint(const std::string& keys, const std::string& sessions = "",
                  const std::string& gateway = "") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load(with(keys, sessions, gateway));
  EXPECT_TRUE(loaded.config) << with(keys, sessions, gateway);
  return loaded.config ? loaded.config->endpoints.front() : Endpoint();
}

TEST(PolicyKeys, WithoutThemNobodyIsNamedAndTheSafeQuotasHold) {
  const Endpoint plain = endpoint("");
  EXPECT_THAT(plain.policy.allow.subjects, IsEmpty());
  EXPECT_THAT(plain.policy.allow.groups, IsEmpty());
  EXPECT_THAT(plain.policy.allow.claims, IsEmpty());
  EXPECT_THAT(plain.policy.support.subjects, IsEmpty());
  EXPECT_THAT(plain.policy.rules, IsEmpty());
  EXPECT_THAT(plain.specs, IsEmpty());
  EXPECT_EQ(plain.quotas, PrincipalQuotas());
  EXPECT_EQ(plain.gateway.identity_headers.subject, "");
}

TEST(PolicyKeys, AreReadWhole) {
  const Endpoint read = endpoint(
      "kernels: {specs: [python3, ir]}",
      "allow: {realms: [r], subjects: [\"*\"], groups: [g], claims: [{name: c, values: [x, y]}]}, "
      "support: {groups: [s]}, operations: [{deny: [Other, DeleteKernel], groups: [g]}, "
      "{allow: [\"*\"]}]",
      "identity_headers: {subject: X-User, groups: X-Groups}");
  EXPECT_THAT(read.specs, ElementsAre("python3", "ir"));
  EXPECT_THAT(read.policy.allow.realms, ElementsAre("r"));
  EXPECT_THAT(read.policy.allow.subjects, ElementsAre("*"));
  EXPECT_THAT(read.policy.allow.claims, ElementsAre(Pair("c", ElementsAre("x", "y"))));
  EXPECT_THAT(read.policy.support.groups, ElementsAre("s"));
  ASSERT_EQ(read.policy.rules.size(), 2U);
  EXPECT_FALSE(read.policy.rules[0].allow);
  EXPECT_THAT(read.policy.rules[0].operations, ElementsAre("Other", "DeleteKernel"));
  EXPECT_THAT(read.policy.rules[0].people.subjects, IsEmpty());
  EXPECT_TRUE(read.policy.rules[1].allow);
  EXPECT_THAT(read.policy.rules[1].people.subjects, ElementsAre("*")) << "for everybody";
  EXPECT_EQ(read.gateway.identity_headers.subject, "X-User");
  EXPECT_EQ(read.gateway.identity_headers.role, "");
}

TEST(PolicyKeys, WhoeverNamesNobodyIsTold) {
  EXPECT_THAT(problems("", "allow: {}"), ElementsAre(HasSubstr("sessions.allow: names nobody")));
  EXPECT_THAT(problems("", "allow: {realms: [r]}"), ElementsAre(HasSubstr("names nobody")));
  EXPECT_THAT(problems("", "support: {realms: [r]}"), ElementsAre(HasSubstr("names nobody")));
  EXPECT_THAT(problems("", "allow: {subjects: []}"), testing::SizeIs(1));
  EXPECT_THAT(problems("", "allow: {claims: [{name: c}]}"), ElementsAre(HasSubstr("values")));
  EXPECT_THAT(problems("", "allow: {groups: [a, a]}"), ElementsAre(HasSubstr("stands here twice")));
  EXPECT_THAT(problems("", "support: {subjects: [\"*\"]}"),
              ElementsAre(HasSubstr("everybody with a session may interrupt and delete")));
}

TEST(PolicyKeys, ARuleSaysOneThing) {
  EXPECT_THAT(problems("", "operations: [{groups: [g]}]"), ElementsAre(HasSubstr("not both")));
  EXPECT_THAT(problems("", "operations: [{allow: [\"*\"], deny: [\"*\"]}]"),
              ElementsAre(HasSubstr("not both")));
  EXPECT_THAT(problems("", "operations: [{deny: [deletekernel]}]"),
              ElementsAre(HasSubstr("\"deletekernel\" is not an operation")));
  EXPECT_THAT(problems("", "operations: [{deny: [Local]}]"),
              ElementsAre(HasSubstr("\"Local\" is not an operation")));
}

TEST(PolicyKeys, SpecsAreWrittenAsListed) {
  EXPECT_THAT(problems("kernels: {specs: [Python3]}"), ElementsAre(HasSubstr("upper-case")));
  EXPECT_THAT(problems("kernels: {specs: [\"a b\"]}"), ElementsAre(HasSubstr("not the name")));
  EXPECT_THAT(problems("kernels: {specs: []}"), testing::SizeIs(1));
}

TEST(PolicyKeys, QuotasMayBeTakenOff) {
  const PrincipalQuotas none = endpoint("quotas: {websockets: none, launches: none}").quotas;
  EXPECT_EQ(none.websockets, 0U);
  EXPECT_EQ(none.launches, 0U);
  const PrincipalQuotas some =
      endpoint("quotas: {websockets: 3, kernels: 2, requests_per_second: 5}").quotas;
  EXPECT_EQ(some.websockets, 3U);
  EXPECT_EQ(some.kernels, 2U);
  EXPECT_EQ(some.requests_per_second, 5U);
  EXPECT_EQ(some.request_burst, 5U) << "of one second";
  EXPECT_EQ(endpoint("quotas: {requests_per_second: 5, request_burst: 9}").quotas.request_burst,
            9U);
  EXPECT_THAT(problems("quotas: {request_burst: 9}"), ElementsAre(HasSubstr("no rate")));
  EXPECT_THAT(problems("quotas: {websockets: 0}"), ElementsAre(HasSubstr("out of range")));
}

TEST(PolicyKeys, IdentityHeadersAreNoOthersName) {
  const auto of = [](const std::string& name) {
    return problems("", "", "identity_headers: {subject: " + name + "}");
  };
  EXPECT_THAT(of("X-Kernel-User"), IsEmpty());
  for (const char* name : {"Authorization", "Host", "Cookie", "Remote-User", "X_Kernel_User", "X-",
                           "\"X-User: a\"", "Sec-WebSocket-Key", "Connection"}) {
    EXPECT_THAT(of(name), ElementsAre(HasSubstr("not a name"))) << name;
  }
  for (const char* name : {"X-Forwarded-For", "x-forwarded-user", "X-Amzn-Oidc-Identity",
                           "X-Real-Ip", "X-REQUEST-ID", "X-XSRFToken", "X-Http-Method-Override"}) {
    EXPECT_THAT(of(name), ElementsAre(HasSubstr("meaning of its own"))) << name;
  }
  EXPECT_THAT(problems("", "", "identity_headers: {subject: X-A, role: x-a}"),
              ElementsAre(HasSubstr("stands here twice")));
}

}  // namespace kg::config::policy_test
