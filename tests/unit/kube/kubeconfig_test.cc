#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/controller/kube/access.h"

namespace kg::kube::kubeconfig_test {

using testing::ElementsAre;

constexpr const char* kWhole = R"(apiVersion: v1
kind: Config
current-context: one
preferences: {}
clusters:
- name: here
  cluster: {server: "https://api.example.com:6443/prefix/", certificate-authority-data: Q0E=}
- name: named
  cluster:
    server: https://10.0.0.1
    certificate-authority: pki/ca.crt
    tls-server-name: kubernetes.default
contexts:
- name: one
  context: {cluster: here, user: inline, namespace: analytics}
- name: two
  context: {cluster: named, user: files}
- name: three
  context: {cluster: named, user: cloud}
- name: four
  context: {cluster: nowhere, user: nobody}
users:
- name: inline
  user: {client-certificate-data: Y2VydA==, client-key-data: a2V5, token: abc}
- name: files
  user: {tokenFile: /secrets/token}
- name: cloud
  user: {exec: {command: aws, args: [eks, get-token]}}
)";

std::vector<std::string> errors_of(const std::string& text, const std::string& context = "") {
  const LoadedAccess loaded = parse_kubeconfig(text, "/etc/kg/kubeconfig", context);
  EXPECT_FALSE(loaded.access);
  std::vector<std::string> errors;
  for (const config::ConfigError& error : loaded.errors) errors.push_back(config::format(error));
  return errors;
}

// A cluster and a user in use, written on one line each.
std::string in_use(const std::string& cluster, const std::string& user) {
  return "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
         "clusters: [{name: k, cluster: {" +
         cluster +
         "}}]\n"
         "users: [{name: u, user: {" +
         user + "}}]\n";
}

TEST(Kubeconfig, TheCurrentContextWithAllOfItInTheFile) {
  const LoadedAccess loaded = parse_kubeconfig(kWhole, "/etc/kg/kubeconfig", "");
  ASSERT_TRUE(loaded.access) << config::format(loaded.errors.at(0));
  EXPECT_EQ(loaded.access->server.text(), "https://api.example.com:6443/prefix");
  EXPECT_EQ(loaded.access->connect_to, "");
  EXPECT_EQ(loaded.access->ca.text.reveal(), "CA");
  EXPECT_EQ(loaded.access->chain.text.reveal(), "cert");
  EXPECT_EQ(loaded.access->key.text.reveal(), "key");
  EXPECT_EQ(loaded.access->token.text.reveal(), "abc");
  EXPECT_EQ(loaded.access->namespace_name, "analytics");
}

TEST(Kubeconfig, ANamedContextWithFilesAndAnotherServerName) {
  const LoadedAccess loaded = parse_kubeconfig(kWhole, "/etc/kg/kubeconfig", "two");
  ASSERT_TRUE(loaded.access) << config::format(loaded.errors.at(0));
  EXPECT_EQ(loaded.access->server.text(), "https://kubernetes.default:443");
  EXPECT_EQ(loaded.access->connect_to, "10.0.0.1:443");
  EXPECT_EQ(loaded.access->ca.file, "/etc/kg/pki/ca.crt");
  EXPECT_EQ(loaded.access->token.file, "/secrets/token");
}

TEST(Kubeconfig, AProgramThatMakesCredentialsIsRefused) {
  EXPECT_THAT(errors_of(kWhole, "three"),
              ElementsAre("/etc/kg/kubeconfig:28: users[2].user.exec: a program that makes "
                          "credentials is not run: write a token or a certificate into the "
                          "file, or run in the cluster with a service account"));
}

TEST(Kubeconfig, NamesThatLeadNowhereAreSaid) {
  EXPECT_THAT(errors_of(kWhole, "five"),
              ElementsAre("/etc/kg/kubeconfig:13: contexts: no entry of `contexts` is called "
                          "\"five\": correct the name, or add the entry"));
  EXPECT_THAT(errors_of(kWhole, "four"),
              ElementsAre("/etc/kg/kubeconfig:5: clusters: no entry of `clusters` is called "
                          "\"nowhere\": correct the name, or add the entry",
                          "/etc/kg/kubeconfig:22: users: no entry of `users` is called "
                          "\"nobody\": correct the name, or add the entry"));
  EXPECT_THAT(errors_of("kind: Config\n"),
              ElementsAre("/etc/kg/kubeconfig:1: current-context: is missing: name a context, here "
                          "or when starting"));
}

TEST(Kubeconfig, WhatWeakensTheConnectionOrIsNotUnderstoodIsRefused) {
  const std::string server = "server: \"https://a:1\"";
  const std::pair<std::string, const char*> cases[] = {
      {in_use("server: \"http://a:1\"", "token: t"),
       "clusters[0].cluster.server: plain http is not spoken to an API server: write its https "
       "address"},
      {in_use("", "token: t"), "clusters[0].cluster.server: is missing: write https://HOST:PORT"},
      {in_use(server + ", insecure-skip-tls-verify: true", "token: t"),
       "clusters[0].cluster.insecure-skip-tls-verify: the server's certificate is always verified: "
       "remove it, and write certificate-authority"},
      {in_use(server + ", tls-server-name: a/b", "token: t"),
       "clusters[0].cluster.tls-server-name: not a name of a host: write the name alone"},
      {in_use(server + ", certificate-authority-data: \"%\"", "token: t"),
       "clusters[0].cluster.certificate-authority-data: not base64: write the file's text in "
       "base64, on one line"},
      {in_use(server + ", trust-everybody: true", "token: t"),
       "clusters[0].cluster.trust-everybody: unknown key: remove it, or use a kubeconfig that "
       "needs "
       "it not"},
      {in_use(server, "token: t, as: root"),
       "users[0].user.as: nobody is impersonated: use that account's own credentials"},
      {in_use(server, "client-key: k"),
       "users[0].user.client-certificate: is missing: write both, or none"},
      {in_use(server, ""),
       "users[0].user: says neither token nor certificate: write token, tokenFile, or "
       "client-certificate with client-key"},
      {in_use(server, "token: [t]"),
       "users[0].user.token: not a text: write a value on the line of the key"},
  };
  for (const auto& [text, wanted] : cases) {
    EXPECT_THAT(errors_of(text), testing::Contains(testing::EndsWith(wanted))) << text;
  }
}

TEST(Kubeconfig, NoErrorShowsASecret) {
  for (const char* user : {"token: \"s3cret\\x01\"", "password: s3cret",
                           "client-key-data: \"%s3cret\"", "token: s3cret, unknown: s3cret"}) {
    for (const std::string& error : errors_of(in_use("server: \"https://a\"", user))) {
      EXPECT_THAT(error, testing::Not(testing::HasSubstr("s3cret")));
    }
  }
}

}  // namespace kg::kube::kubeconfig_test
