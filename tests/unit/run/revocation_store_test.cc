#include "routing/controller/run/revocation_store.h"

#include <algorithm>

#include "proxy/base/ascii.h"
#include "tests/unit/kube/kube_fixture.h"

namespace kg::controller::revocation_store_test {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;

constexpr const char* kWatch = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

routing::RevocationNotice notice(unsigned number, const std::string& scope, bool revoked = true) {
  auth::Revocation entry;
  entry.mark = crypto::sha256("token " + std::to_string(number));
  entry.scope = scope;
  return {revoked, entry};
}

std::vector<auth::Revocation> listed(const std::vector<std::string>& scopes) {
  std::vector<auth::Revocation> out;
  out.reserve(scopes.size());
  for (const std::string& scope : scopes) out.push_back(notice(1, scope).revocation);
  return out;
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
  // A Secret with that text, in a version.
  static nlohmann::json secret_of(const std::string& version, const std::string& text) {
    nlohmann::json out = kube::object_of(kRevocationsSecret, version, "kernelgate");
    out["kind"] = "Secret";
    out["data"]["revocations"] = ascii::base64_encode(text);
    return out;
  }
  // The watch brings a Secret whose stamp has that serial, and one entry in each scope.
  void bring(uint64_t serial, const std::vector<std::string>& scopes,
             const std::string& lineage = "00112233445566ff") {
    bring_secret(
        secret_of(next_version(), RevocationText::write({lineage, serial}, listed(scopes))));
  }
  void bring_secret(const nlohmann::json& secret, const char* type = "MODIFIED") {
    api.say(nlohmann::json{{"type", type}, {"object", secret}}.dump() + "\n");
  }
  std::string next_version() { return std::to_string(++version); }
  // What was written by that request.
  RevocationText written(size_t request) const {
    const std::string& text = api.requests[request];
    const auto json = nlohmann::json::parse(text.substr(text.find("\r\n\r\n") + 4));
    return RevocationText::read(json["stringData"]["revocations"].get<std::string>());
  }
  static std::vector<std::string> scopes_of(const std::vector<auth::Revocation>& entries) {
    std::vector<std::string> out;
    out.reserve(entries.size());
    for (const auth::Revocation& entry : entries) out.push_back(entry.scope);
    return out;
  }
  auto count(const std::string& scope) const {
    return std::ranges::count(entries(), scope, &auth::Revocation::scope);
  }

  uint64_t version = 1;
  size_t changes = 0;
  RevocationStore store{loop, client, "kernelgate", [this] { ++changes; }};
};

TEST_F(RevocationStoreTest, NobodyFillsTheRoomOfOthers) {
  start();
  bring(1, std::vector<std::string>(auth::kRevocationsPerNamespaceMax, "analytics"));
  run_until([&] { return count("analytics") > 0; });
  store.hear(notice(2, "analytics"));
  store.hear(notice(2, "analytics/ep"));
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
  const RevocationText posted = written(2);
  EXPECT_EQ(posted.stamp.serial, 1U);
  store.hear(notice(2, ""));
  api.open_watch();
  api.say(secret_of("2", RevocationText::write(posted.stamp, posted.entries)).dump());
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
  auto lines = entries();
  lines.push_back(notice(3, "c").revocation);
  bring_secret(secret_of("2", RevocationText::write({"00112233445566ff", 1}, lines)), "ADDED");
  run_until([&] { return count("c") == 1; });
  EXPECT_EQ(count("a"), 0);
  EXPECT_EQ(count("b"), 1);
}

// Each of these brings an entry of its own, which shows that it was read.
TEST_F(RevocationStoreTest, WhatASecretLosesCountsOnAndIsWrittenAgain) {
  start();
  bring(5, {"a", "b"});
  run_until([&] { return count("b") == 1; });
  bring(4, {"older"});
  run_until([&] { return count("older") == 1; });
  bring(9, {"another"}, "ffeeddccbbaa9988");
  run_until([&] { return count("another") == 1; });
  bring_secret(secret_of(next_version(), R"({"endpoint": "ep", "scope": "hand"})"));
  run_until([&] { return count("hand") == 1; });
  nlohmann::json emptied = secret_of(next_version(), "");
  emptied.erase("data");
  bring_secret(emptied);
  bring_secret(secret_of(next_version(), "{"));
  nlohmann::json mended = secret_of(next_version(), R"({"endpoint": "ep", "scope": "mended"})");
  bring_secret(mended);
  run_until([&] { return count("mended") == 1; });
  bring_secret(mended, "DELETED");
  bring(1, {"fresh"});
  run_until([&] { return count("fresh") == 1; });
  const std::vector<std::string> all{"fresh", "a", "b", "older", "another", "hand", "mended"};
  EXPECT_THAT(scopes_of(entries()), UnorderedElementsAreArray(all));
  EXPECT_EQ(api.requests.size(), 2U) << "a standby writes nothing";
  store.set_leading(true);
  run_until([&] { return api.requests.size() == 3; });
  EXPECT_THAT(api.requests[2], StartsWith("PUT "));
  EXPECT_THAT(scopes_of(written(2).entries), UnorderedElementsAreArray(all));
  EXPECT_EQ(written(2).stamp.serial, 2U);
}

TEST_F(RevocationStoreTest, ADeletedSecretComesBackAtOnce) {
  start();
  store.set_leading(true);
  bring(5, {"a", "b"});
  run_until([&] { return count("b") == 1; });
  const size_t told = changes;
  api.answers = {kube::answer_of("201 Created", kube::object_of("x", "9").dump())};
  bring_secret(secret_of(next_version(), ""), "DELETED");
  run_until([&] { return api.requests.size() == 3 && client.open_calls() == 1; });
  EXPECT_THAT(api.requests[2], StartsWith("POST "));
  EXPECT_THAT(scopes_of(written(2).entries), ElementsAre("a", "b"));
  EXPECT_NE(written(2).stamp.lineage, "00112233445566ff");
  EXPECT_EQ(entries(), listed({"a", "b"})) << "nothing that would have to be published";
  EXPECT_GE(changes, told);
}

TEST_F(RevocationStoreTest, AStandbyWritesWhatTheLeaderDoesNotKnow) {
  start();
  bring(5, {"a", "b"});
  run_until([&] { return count("b") == 1; });
  store.hear(notice(1, "c"));
  const uint64_t began_us = event::monotonic_us();
  bring(1, {"b", "d"}, "ffeeddccbbaa9988");
  run_until([&] { return api.requests.size() == 3; });
  EXPECT_GE(event::monotonic_us() - began_us, kStandbyWaitsMs * 1'000) << "the leader comes first";
  EXPECT_THAT(api.requests[2], HasSubstr(R"("resourceVersion":"3")"));
  EXPECT_THAT(scopes_of(written(2).entries), ElementsAre("b", "d", "a", "c"));
  EXPECT_EQ(written(2).stamp, (RevocationStamp{"ffeeddccbbaa9988", 2}))
      << "it follows the leader's";
}

// Whatever notices this controller missed.
TEST_F(RevocationStoreTest, WhatATextThatFollowsLacksWasTakenBack) {
  start();
  bring(5, {"a", "b", "c", "lost"});
  run_until([&] { return count("c") == 1; });
  bring(7, {"b", "c", "lost", "m7"});
  run_until([&] { return count("m7") == 1; });
  EXPECT_EQ(count("a"), 0);
  bring(7, {"c", "lost", "m7", "hand"});
  run_until([&] { return count("hand") == 1; });
  EXPECT_EQ(count("b"), 0) << "by whoever edited it";
  bring(3, {"c", "m3"});
  run_until([&] { return count("m3") == 1; });
  bring(8, {"m8"});
  run_until([&] { return count("m8") == 1; });
  EXPECT_EQ(count("c"), 0);
  EXPECT_EQ(count("lost"), 1) << "the text before did not have it either";
  store.hear(notice(1, "lost", false));
  EXPECT_EQ(count("lost"), 0);
  store.set_leading(true);
  run_until([&] { return api.requests.size() == 3; });
  EXPECT_THAT(scopes_of(written(2).entries), UnorderedElementsAre("m8", "m7", "hand"));
  EXPECT_EQ(written(2).stamp.serial, 9U);
}

TEST_F(RevocationStoreTest, AnEditByHandGetsAStampOfItsOwn) {
  start();
  bring(5, {"a", "b"});
  run_until([&] { return count("b") == 1; });
  store.set_leading(true);
  EXPECT_EQ(client.open_calls(), 1U) << "nothing is to be written";
  bring(5, {"b"});
  run_until([&] { return api.requests.size() == 3; });
  EXPECT_THAT(api.requests[2], HasSubstr(R"("resourceVersion":"3")"));
  EXPECT_THAT(scopes_of(written(2).entries), ElementsAre("b"));
  EXPECT_EQ(written(2).stamp.serial, 6U) << "what was before does not follow it";
}

TEST_F(RevocationStoreTest, WhatCannotBeReadIsNotWrittenOver) {
  start();
  bring(5, {"a"});
  bring_secret(secret_of(next_version(), "{\"token_id\": 7}"));
  api.answers = {kWatch};
  api.end_watch();
  run_until([&] { return api.requests.size() == 3; });
  store.set_leading(true);
  store.hear(notice(1, "b"));
  EXPECT_EQ(client.open_calls(), 1U) << "it is not written over";
  EXPECT_THAT(scopes_of(entries()), ElementsAre("a", "b")) << "and nothing is lost meanwhile";
  bring_secret(secret_of(next_version(), R"({"endpoint": "ep", "scope": "mended"})"));
  run_until([&] { return api.requests.size() == 4; });
  EXPECT_THAT(scopes_of(written(3).entries), UnorderedElementsAre("a", "b", "mended"));
}

TEST_F(RevocationStoreTest, WhoNeverReadItPublishesNothing) {
  api.answers = {kube::list_of("1", {secret_of("1", "{")}), kWatch};
  store.start();
  run_until([&] { return api.requests.size() == 2; });
  EXPECT_FALSE(store.synced());
  EXPECT_EQ(store.problem(), "line 1 is not JSON");
  bring(5, {"a"});
  run_until([&] { return store.synced(); });
  EXPECT_EQ(count("a"), 1);
}

TEST_F(RevocationStoreTest, WritesHaveAPause) {
  start();
  store.set_leading(true);
  api.answers = {kube::answer_of("201 Created", kube::object_of("x", "2").dump()),
                 kube::answer_of("200 OK", kube::object_of("x", "3").dump())};
  const uint64_t began_us = event::monotonic_us();
  store.hear(notice(0, ""));
  run_until([&] { return api.requests.size() == 3 && client.open_calls() == 1; });
  for (unsigned i = 1; i < 50; ++i) store.hear(notice(i, "", i % 2 == 0));
  for (unsigned i = 1; i < 50; ++i) store.hear(notice(i, ""));
  run_until([&] { return api.requests.size() == 4; });
  EXPECT_GE(event::monotonic_us() - began_us, kRevocationWriteMs * 1'000);
  EXPECT_EQ(written(3).entries.size(), 50U) << "all that came meanwhile";
}

TEST_F(RevocationStoreTest, WhoSaysTooMuchForANamespaceIsNotHeardForAWhile) {
  start();
  for (unsigned i = 0; i < 1'000; ++i) store.hear(notice(1, "loud/ep", i % 2 == 0));
  store.hear(notice(2, "loud"));
  EXPECT_EQ(count("loud"), 0);
  store.hear(notice(2, "quiet"));
  EXPECT_EQ(count("quiet"), 1);
  for (unsigned i = 0; i < 1'000; ++i) store.hear(notice(i, ""));
  EXPECT_EQ(count(""), 1'000) << "who may speak for all";
  run_until([&] {
    store.hear(notice(2, "loud"));  // as proxies do
    return count("loud") == 1;
  });
}

TEST_F(RevocationStoreTest, ASecretThatIsGoneBeforeTheWatchSaysSoIsMadeAnew) {
  start();
  bring(5, {"a"});
  run_until([&] { return count("a") == 1; });
  api.answers = {kube::answer_of("404 Not Found", "{}"),
                 kube::answer_of("201 Created", kube::object_of("x", "9").dump())};
  store.hear(notice(1, "b"));
  store.set_leading(true);
  run_until([&] { return api.requests.size() == 4; });
  EXPECT_THAT(api.requests[2], StartsWith("PUT "));
  EXPECT_THAT(api.requests[3], StartsWith("POST "));
  EXPECT_THAT(scopes_of(written(3).entries), ElementsAre("a", "b"));
}

}  // namespace kg::controller::revocation_store_test
