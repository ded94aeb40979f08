// What tests of the session credentials API share: an API server that answers what the test says,
// an endpoint whose sessions we may issue, and a caller.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "auth/key_set.h"
#include "routing/controller/issuer/desk.h"
#include "tests/unit/auth/forge.h"
#include "tests/unit/kube/kube_fixture.h"
#include "tests/unit/routing/announced_payload.h"

namespace kg::issuer {

using Json = nlohmann::json;
inline const std::string kIssuerName = "https://studio.test";
inline const std::string kPlainWish = R"({"credentialType":"TOKEN"})";

class IssuerTest : public kube::KubeTest {
 protected:
  static std::shared_ptr<const auth::SessionSigner> new_signer() {
    const auth::forge::TempFile file(auth::forge::TestKey::ec().private_pem());
    return auth::SessionSigner::from_file(file.path()).signer;
  }

  void answer_token(const std::string& name, const std::vector<std::string>& groups = {}) {
    api.answers.push_back(kube::answer_of(
        "201 Created",
        Json{{"kind", "TokenReview"},
             {"status",
              {{"authenticated", true}, {"user", {{"username", name}, {"groups", groups}}}}}}
            .dump()));
  }
  void answer_access(bool allowed) {
    api.answers.push_back(kube::answer_of(
        "201 Created",
        Json{{"kind", "SubjectAccessReview"}, {"status", {{"allowed", allowed}}}}.dump()));
  }
  // The body of a request that the API server got.
  Json asked(size_t index) const {
    const std::string& request = api.requests.at(index);
    return Json::parse(request.substr(request.find("\r\n\r\n") + 4));
  }

  Surroundings around() {
    return {[this](const Target& target) {
              const bool is_it = target.space == "analytics" && target.endpoint == "abc123";
              return is_it ? &payload : nullptr;
            },
            [this] { return is_ready; },
            [this](std::string line) {
              lines.push_back(std::move(line));
              return takes_lines;
            },
            [this] { return signer; }};
  }
  void make_payload() {
    endpoint["files"]["keys"] = signer->public_jwks();
    payload = endpoint.dump();
  }

  std::shared_ptr<const auth::SessionSigner> signer = new_signer();
  Json endpoint = routing::announced_payload("abc123");
  std::string payload;
  bool is_ready = true;
  bool takes_lines = true;
  std::vector<std::string> lines;  // of the audit log
};

}  // namespace kg::issuer
