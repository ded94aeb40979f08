// The authenticator `alb`: what it needs, and what it is refused without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/config_folder.h"

namespace kg::config::alb_test {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kArn =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/jupyter/0123456789abcdef";

std::string text(const std::string& alb, const std::string& listener) {
  return "alb: {idle_timeout: 420s}\nlisteners:\n  - address: 127.0.0.1:0\n    tls:\n      "
         "certificates:\n"
         "        - {certificate: tls/server.crt, private_key: tls/server.key}\n" +
         listener +
         "endpoints:\n  - id: a\n    hosts: [a.test]\n    gateway:\n      pods: [{address: "
         "127.0.0.1:8888}]\n"
         "    sessions:\n      authenticators:\n        - alb: " +
         alb + "\n";
}
std::string trusted(const std::string& alb) {
  return text(alb, "    trusted_proxies: [10.0.0.0/8]\n");
}
std::string with_signers(const std::string& signers, const std::string& more = "") {
  return "{client: c, issuer: i, signers: [" + signers + "]" + more + "}";
}
std::string in_quotes(const std::string& arn) { return '"' + arn + '"'; }

const AlbSessions& alb_of(const Loaded& loaded) {
  return std::get<AlbSessions>(loaded.config->endpoints.at(0).sessions.authenticators.at(0));
}

TEST(Alb, KeysAreThoseOfTheSignersRegion) {
  const ConfigFolder folder;
  const Loaded loaded = folder.load(trusted(with_signers(in_quotes(kArn))));
  ASSERT_TRUE(loaded.config) << format(loaded.errors.at(0));
  EXPECT_THAT(alb_of(loaded).signers, ElementsAre(kArn));
  EXPECT_EQ(alb_of(loaded).keys.url.text(),
            "https://public-keys.auth.elb.eu-west-1.amazonaws.com:443/");
  EXPECT_EQ(alb_of(loaded).realm, "i") << "the issuer by default";
  EXPECT_EQ(alb_of(loaded).groups_claim, "groups");
}

TEST(Alb, WithoutTrustedProxiesItIsRefused) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(text(with_signers(in_quotes(kArn)), "")),
              ElementsAre(HasSubstr("endpoints[0].sessions.authenticators[0].alb: no listener has "
                                    "trusted_proxies")));
}

TEST(Alb, SignersAreLoadBalancersOfOneRegion) {
  const ConfigFolder folder;
  for (const char* wrong :
       {"*", "arn:aws:iam::111122223333:role/x",
        "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/jupyter/0123",
        "arn:aws:elasticloadbalancing:eu-west-1:1111:loadbalancer/app/jupyter/0123",
        "arn:aws:elasticloadbalancing:evil.example/:111122223333:loadbalancer/app/jupyter/0123",
        "arn:aws:elasticloadbalancing::111122223333:loadbalancer/app/jupyter/0123",
        "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/a/0:x"}) {
    EXPECT_THAT(folder.problems(trusted(with_signers(in_quotes(wrong)))),
                ElementsAre(HasSubstr("is not the ARN of an Application Load Balancer")))
        << wrong;
  }
  std::string other = kArn;
  other.replace(other.find("eu-west-1"), 9, "us-east-1");
  EXPECT_THAT(folder.problems(trusted(with_signers(in_quotes(kArn) + ", " + in_quotes(other)))),
              ElementsAre(HasSubstr("several regions")));
  std::string china = kArn;
  china.replace(china.find("arn:aws:"), 8, "arn:aws-cn:");
  EXPECT_THAT(folder.problems(trusted(with_signers(in_quotes(china)))),
              ElementsAre(HasSubstr("keys_url: missing")));
  EXPECT_THAT(folder.problems(trusted(
                  with_signers(in_quotes(china), ", keys_url: \"https://keys.example.cn/elb\""))),
              IsEmpty());
}

TEST(Alb, KeysComeEncrypted) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(trusted(
                  with_signers(in_quotes(kArn), ", keys_url: \"http://keys.example.cn/\""))),
              ElementsAre(HasSubstr("is not encrypted")));
  EXPECT_THAT(folder.problems(trusted(with_signers(in_quotes(kArn), ", ca_file: tls/aws-ca.crt"))),
              ElementsAre(HasSubstr("ca_file: goes with keys_url only")));
}

TEST(Alb, SignersClientAndIssuerAreRequired) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(trusted("{}")),
              testing::UnorderedElementsAre(HasSubstr("alb.issuer: missing"),
                                            HasSubstr("alb.client: missing"),
                                            HasSubstr("alb.signers: missing")));
}

}  // namespace kg::config::alb_test
