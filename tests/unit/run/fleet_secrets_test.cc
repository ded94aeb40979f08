#include "routing/controller/run/fleet_secrets.h"

#include "proxy/base/ascii.h"
#include "tests/unit/kube/kube_fixture.h"

namespace kg::controller::fleet_secrets_test {

using Json = nlohmann::json;
using kube::answer_of;
using routing::KeyKind;
using routing::KeyTexts;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

class FleetSecretsTest : public kube::KubeTest {
 protected:
  static std::string secret_of(const KeyTexts& keys, const std::string& version = "1") {
    Json out = kube::object_of("x", version);
    out["data"] = Json::object();
    for (const auto& [suffix, text] : keys)
      out["data"]["key" + suffix] = ascii::base64_encode(text.reveal());
    return answer_of("200 OK", out.dump());
  }
  Json body_of(size_t request) const {
    const std::string& text = api.requests.at(request);
    return Json::parse(text.substr(text.find("\r\n\r\n") + 4));
  }
  static std::string refusal(int code) {
    return answer_of(std::to_string(code) + " No", kube::status_of(code, "no").dump());
  }

  FleetSecrets secrets{loop, client};
};

TEST_F(FleetSecretsTest, WhoComesSecondTakesWhatIsThere) {
  std::map<std::string, KeyTexts> found;
  KeyTexts theirs = routing::new_keys(KeyKind::kFeed);
  // Missing, another one is quicker; and all others are there.
  api.answers = {refusal(404), refusal(409), secret_of(theirs)};
  for (const FleetSecret& secret : kFleetSecrets) {
    if (secret.name != std::string(kControllerKeySecret))
      api.answers.push_back(secret_of(routing::new_keys(secret.kind)));
  }
  EXPECT_EQ(secrets.ensure("kernelgate", true, found), "");
  EXPECT_THAT(api.requests, SizeIs(2 + kFleetSecrets.size()));
  EXPECT_THAT(api.requests[1], StartsWith("POST /api/v1/namespaces/kernelgate/secrets HTTP"));
  EXPECT_EQ(body_of(1)["type"], kFleetSecretType);
  EXPECT_EQ(routing::public_key_of(found[kControllerKeySecret]), routing::public_key_of(theirs));
}

TEST_F(FleetSecretsTest, WhatMayNotBeReadOrIsNoneIsSaidAndNotReplaced) {
  std::map<std::string, KeyTexts> found;
  api.answers = {refusal(403)};
  EXPECT_THAT(secrets.ensure("kernelgate", true, found), HasSubstr(kControllerKeySecret));
  api.answers = {secret_of({})};
  EXPECT_THAT(secrets.ensure("kernelgate", true, found), HasSubstr("has no entry \"key\""));
  EXPECT_THAT(api.requests, SizeIs(2));
}

TEST_F(FleetSecretsTest, WhatProxiesMountIsMadeForFeedsOfFilesTooAndKeepsNoControllerFromRunning) {
  std::map<std::string, KeyTexts> found;
  api.answers = {refusal(404), refusal(403), refusal(404), answer_of("201 Created", "{}"),
                 secret_of(routing::new_keys(KeyKind::kTickets))};
  EXPECT_EQ(secrets.ensure("kernelgate", false, found), "");
  ASSERT_THAT(api.requests, SizeIs(5));
  EXPECT_EQ(body_of(1)["metadata"]["name"], "kernelgate-kernel-ids");
  EXPECT_EQ(body_of(3)["metadata"]["name"], "kernelgate-ticket-keys");
}

TEST_F(FleetSecretsTest, ARotationOfWhatOthersRotatedMeanwhileBeginsAnew) {
  const KeyTexts first = routing::new_keys(KeyKind::kTickets);
  const KeyTexts second = routing::new_keys(KeyKind::kTickets);
  api.answers = {secret_of(first, "7"), refusal(409), secret_of(second, "8"),
                 answer_of("200 OK", "{}")};
  KeyTexts made;
  EXPECT_EQ(secrets.rotate({"a", "x"}, KeyKind::kTickets, made), "");
  EXPECT_EQ(body_of(3)["metadata"]["resourceVersion"], "8");
  EXPECT_TRUE(made.at("").reveal().ends_with(second.at("").reveal()));
}

TEST_F(FleetSecretsTest, ARotationWritesItsEntriesAndNothingElse) {
  Json secret = kube::object_of("x", "7");
  secret["apiVersion"] = "v1";
  secret["kind"] = "Secret";
  secret["type"] = "Opaque";
  secret["metadata"]["labels"] = {{"app", "gate"}};
  secret["metadata"]["annotations"] = {{"replicate", "true"}};
  secret["data"] = {{"note", ascii::base64_encode("by hand")},
                    {"keystore", ascii::base64_encode("k")}};
  for (const auto& [suffix, text] : routing::new_keys(KeyKind::kFeed))
    secret["data"]["key" + suffix] = ascii::base64_encode(text.reveal());
  api.answers = {answer_of("200 OK", secret.dump())};
  event::Timer answer(loop, [&] {  // that to the PUT is lost, and what became of it is looked for
    if (api.requests.size() < 2) return answer.arm_ms(1);
    api.answers.push_back(answer_of("200 OK", body_of(1).dump()));
    api.hang_up();
  });
  answer.arm_ms(1);
  KeyTexts made;
  EXPECT_EQ(secrets.rotate({"a", "x"}, KeyKind::kFeed, made), "");
  EXPECT_THAT(api.requests.at(1), StartsWith("PUT /api/v1/namespaces/a/secrets/x HTTP"));
  Json expected = secret;
  for (const auto& [suffix, text] : made)
    expected["data"]["key" + suffix] = ascii::base64_encode(text.reveal());
  EXPECT_EQ(body_of(1), expected);
  EXPECT_NE(body_of(1), secret);
}

TEST_F(FleetSecretsTest, ARotationWhoseAnswerIsLostIsLookedAtAndNotRepeated) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";  // and no body
  const KeyTexts first = routing::new_keys(KeyKind::kFeed);
  api.answers = {secret_of(first), head, secret_of(first)};
  KeyTexts made;
  EXPECT_NE(secrets.rotate({"a", "x"}, KeyKind::kFeed, made), "") << "it was not taken";
  EXPECT_THAT(api.requests, SizeIs(3));
  api.requests.clear();
  // Taken: the answer to the look is what was written.
  event::Timer answer(loop, [&] {
    if (api.requests.size() < 2) return answer.arm_ms(1);
    const std::string& put = api.requests[1];
    Json written = Json::parse(put.substr(put.find("\r\n\r\n") + 4));
    api.answers.push_back(answer_of("200 OK", written.dump()));
    api.hang_up();
  });
  api.answers = {secret_of(first)};
  answer.arm_ms(1);
  EXPECT_EQ(secrets.rotate({"a", "x"}, KeyKind::kFeed, made), "");
  EXPECT_THAT(api.requests, SizeIs(3));
}

}  // namespace kg::controller::fleet_secrets_test
