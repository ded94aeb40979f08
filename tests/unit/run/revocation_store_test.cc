#include "routing/controller/run/revocation_store.h"

#include <algorithm>

#include "proxy/base/ascii.h"
#include "tests/unit/kube/kube_fixture.h"

namespace kg::controller::revocation_store_test {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kWatch = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

routing::RevocationNotice notice(unsigned number, const std::string& scope, bool revoked = true) {
  auth::Revocation entry;
  entry.mark = crypto::sha256("token " + std::to_string(number));
  entry.scope = scope;
  return {revoked, entry};
}

class RevocationStoreTest : public kube::KubeTest {
 protected:
  void start() {
    api.answers = {kube::list_of("1", {}), kWatch};
    store.start();
    run_until([&] { return store.synced() && api.requests.size() == 2; });
  }
  std::vector<auth::Revocation> entries() const {
    return store.entries(static_cast<int64_t>(event::wall_us() / 1'000'000));
  }
  auto count(const std::string& scope) const {
    return std::ranges::count(entries(), scope, &auth::Revocation::scope);
  }

  size_t changes = 0;
  RevocationStore store{loop, client, "kernelgate", [this] { ++changes; }};
};

TEST_F(RevocationStoreTest, NobodyFillsTheRoomOfOthers) {
  start();
  for (unsigned i = 0; i < 300; ++i) {
    store.hear(notice(i, i % 2 == 0 ? "analytics" : "analytics/ep"));
  }
  EXPECT_EQ(entries().size(), auth::kRevocationsPerNamespaceMax);
  store.hear(notice(0, "research"));
  store.hear(notice(0, ""));
  EXPECT_EQ(count("research"), 1);
  EXPECT_EQ(count(""), 1);
  for (unsigned i = 0; i < 4'000; ++i) {
    store.hear(notice(i, "n" + std::to_string(i / 256)));
  }
  EXPECT_EQ(count("n0"), 256);
  EXPECT_EQ(count("n14"), 0) << "namespaces have half of it together";
  store.hear(notice(1, ""));
  EXPECT_EQ(count(""), 2) << "what counts everywhere has room";
}

TEST_F(RevocationStoreTest, WhatIsSaidAgainChangesNothingAndAWordLaterDoes) {
  start();
  store.hear(notice(1, "analytics"));
  store.hear(notice(1, ""));
  const auto before = entries();
  store.hear(notice(1, "analytics"));
  EXPECT_EQ(entries().size(), 2U);
  store.hear(notice(1, "analytics", false));
  EXPECT_EQ(count("analytics"), 0);
  EXPECT_EQ(count(""), 1) << "another scope";
  EXPECT_GT(before.front().until, 0) << "nothing stays for ever";
  const size_t told = changes;
  for (unsigned i = 2; i < 50; ++i) store.hear(notice(i, ""));
  EXPECT_LE(changes, told + 1) << "many come as one publication";
  run_until([&] { return changes == told + 1; });
}

TEST_F(RevocationStoreTest, TheLeaderWritesMarksAndForgetsWhatWaited) {
  start();
  store.set_leading(true);
  store.hear(notice(1, "analytics/ep"));
  run_until([&] { return api.requests.size() == 3; });
  EXPECT_THAT(api.requests[2], StartsWith("POST /api/v1/namespaces/kernelgate/secrets HTTP"));
  EXPECT_THAT(api.requests[2], HasSubstr("token_id_sha256"));
  const auto posted =
      nlohmann::json::parse(api.requests[2].substr(api.requests[2].find("\r\n\r\n") + 4));
  nlohmann::json written = kube::object_of(kRevocationsSecret, "2", "kernelgate");
  written["data"]["revocations"] =
      ascii::base64_encode(posted["stringData"]["revocations"].get<std::string>());
  store.hear(notice(2, ""));
  api.open_watch();
  api.say(written.dump());
  api.end_watch();
  run_until([&] { return api.requests.size() == 4; });
  EXPECT_THAT(api.requests[3], StartsWith("PUT "));
  EXPECT_THAT(api.requests[3], HasSubstr(R"("resourceVersion":"2")"));
  EXPECT_THAT(api.requests[3], HasSubstr("analytics/ep")) << "what is written stays";
  EXPECT_EQ(entries().size(), 2U);
}

}  // namespace kg::controller::revocation_store_test
