#include "routing/controller/kube/credentials.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/kube/kube_fixture.h"

namespace kg::kube::credentials_test {

using testing::HasSubstr;
using testing::IsEmpty;

class CredentialsTest : public KubeTest {
 protected:
  CredentialsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "kg-kube-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder = name;
    write("token", "first\n");
    write("ca.crt", "a CA");
  }
  ~CredentialsTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder + "/" + name) << text;
  }

  std::string folder;
  PodEnvironment pod{"fd00::1", "443", ""};
};

TEST_F(CredentialsTest, APodFindsItsServiceAccount) {
  pod.folder = folder;
  write("namespace", "analytics\n");
  const LoadedAccess loaded = in_cluster(pod);
  ASSERT_TRUE(loaded.access);
  EXPECT_EQ(loaded.access->server.text(), "https://[fd00::1]:443");
  EXPECT_EQ(loaded.access->namespace_name, "analytics");
  Credentials found(*loaded.access);
  EXPECT_EQ(found.open(), "");
  EXPECT_EQ(found.authorization().reveal(), "Bearer first");
  EXPECT_EQ(found.trust()->ca_pem, "a CA");
}

TEST_F(CredentialsTest, OutsideOfAPodTheVariableIsNamed) {
  pod.host.clear();
  const LoadedAccess loaded = in_cluster(pod);
  EXPECT_FALSE(loaded.access);
  ASSERT_EQ(loaded.errors.size(), 1U);
  EXPECT_EQ(config::format(loaded.errors[0]),
            "environment: KUBERNETES_SERVICE_HOST: is missing: run in a pod, or name a kubeconfig");
}

TEST_F(CredentialsTest, ARenewedTokenIsReadInTimeAndABrokenOneChangesNothing) {
  Access access;
  access.token.file = folder + "/token";
  Credentials rotating(access);
  ASSERT_EQ(rotating.open(), "");
  const uint64_t start_us = event::monotonic_us();
  write("token", "second\n");
  rotating.refresh(start_us + 1'000'000);
  EXPECT_EQ(rotating.authorization().reveal(), "Bearer first");
  rotating.refresh(start_us + 61'000'000);
  EXPECT_EQ(rotating.authorization().reveal(), "Bearer second");
  for (const char* broken : {"", "\n", "two words", "two\nlines", "\xff"}) {
    write("token", broken);
    rotating.distrust();
    rotating.refresh(start_us);
    EXPECT_EQ(rotating.authorization().reveal(), "Bearer second") << broken;
  }
}

TEST_F(CredentialsTest, ATokenThatTheServerRefusesIsReadAgain) {
  Access own = access();
  own.token = {folder + "/token", Secret()};
  Credentials rotating(own);
  ASSERT_EQ(rotating.open(), "");
  Client asking(loop, rotating);
  api.answers = {answer_of("401 Unauthorized", status_of(401, "Unauthorized").dump()),
                 answer_of("200 OK", "{}")};
  std::vector<Reply> replies;
  const Client::Done note = [&](const Reply& reply) { replies.push_back(reply); };
  const std::unique_ptr<Call> refused = asking.send(get("/"), note);
  write("token", "second");
  run_until([&] { return replies.size() == 1; });
  EXPECT_EQ(replies[0].problem, "the API server answers 401: Unauthorized");
  const std::unique_ptr<Call> taken = asking.send(get("/"), note);
  run_until([&] { return replies.size() == 2; });
  EXPECT_THAT(api.requests[0], HasSubstr("\r\nAuthorization: Bearer first\r\n"));
  EXPECT_THAT(api.requests[1], HasSubstr("\r\nAuthorization: Bearer second\r\n"));
}

TEST_F(CredentialsTest, WhatCannotBeReadIsNamed) {
  Access access;
  access.ca.file = folder + "/none.crt";
  EXPECT_THAT(Credentials(access).open(), HasSubstr("none.crt cannot be opened ("));
}

}  // namespace kg::kube::credentials_test
