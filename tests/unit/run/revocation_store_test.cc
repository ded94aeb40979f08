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
  // What the test's Secret says, in a version.
  static nlohmann::json secret_of(const std::string& version,
                                  const std::vector<auth::Revocation>& entries) {
    std::string lines;
    for (const auth::Revocation& entry : entries) lines += entry.json() + "\n";
    nlohmann::json out = kube::object_of(kRevocationsSecret, version, "kernelgate");
    out["kind"] = "Secret";
    out["data"]["revocations"] = ascii::base64_encode(lines);
    return out;
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

TEST_F(RevocationStoreTest, WhatHasEndedIsNotWrittenAgainAndAgain) {
  start();
  store.set_leading(true);
  routing::RevocationNotice ended = notice(1, "analytics");
  ended.revocation.until = 1'000'000'000;
  store.hear(ended);
  // Nor one that the server, whatever it answers, does not take in.
  api.answers = {kube::answer_of("201 Created", kube::object_of("x", "2").dump())};
  store.hear(notice(2, "analytics"));
  run_until([&] { return api.requests.size() == 3 && client.open_calls() == 1; });
  EXPECT_EQ(api.requests.size(), 3U);
  EXPECT_EQ(count("analytics"), 1);
}

TEST_F(RevocationStoreTest, TheLaterWordCountsWhicheverComesBackFirst) {
  start();
  store.hear(notice(1, "a"));
  store.hear(notice(2, "b"));
  store.hear(notice(2, "b", false));
  store.hear(notice(2, "b"));
  store.hear(notice(1, "a", false));
  // What the leader made of the same words, and of another one.
  auto written = entries();
  written.push_back(notice(3, "c").revocation);
  const nlohmann::json event{{"type", "ADDED"}, {"object", secret_of("2", written)}};
  api.say(event.dump() + "\n");
  run_until([&] { return count("c") == 1; });
  EXPECT_EQ(count("a"), 0);
  EXPECT_EQ(count("b"), 1);
}

}  // namespace kg::controller::revocation_store_test
