#include "auth/remote_judge.h"

#include <optional>

#include "auth/verdict_cache.h"
#include "tests/unit/auth/source_fixture.h"

namespace kg::auth::remote_judge_test {

Verdict good(const std::string& subject, int64_t expires_at = 4'000'000'000) {
  Principal who;
  who.subject = subject;
  who.expires_at = expires_at;
  return Verdict::accepts(std::move(who));
}
Verdict bad() { return Verdict::refuses({ErrorCode::kUnauthorized, "", 0}); }

TEST(VerdictCache, RemembersUntilItsTime) {
  VerdictCache cache;
  const VerdictCache::Key key = cache.key_of("token");
  EXPECT_FALSE(cache.find(key, 100));
  cache.remember(key, good("alice"), 110);
  EXPECT_EQ(cache.find(key, 109)->principal.subject, "alice");
  EXPECT_FALSE(cache.find(key, 110));
  EXPECT_EQ(cache.size(), 0U);
}

TEST(VerdictCache, AFloodOfBadOnesEvictsNoGoodOne) {
  VerdictCache cache;
  const VerdictCache::Key key = cache.key_of("alice's");
  cache.remember(key, good("alice"), 110);
  for (size_t i = 0; i < limits::kRemoteKnownMax + 10; ++i) {
    cache.remember(cache.key_of(std::to_string(i)), bad(), 110);
  }
  EXPECT_TRUE(cache.find(key, 100));
  EXPECT_EQ(cache.size(), limits::kRemoteKnownMax + 1);
  EXPECT_FALSE(cache.find(cache.key_of("9"), 100)) << "the oldest went";
  EXPECT_TRUE(cache.find(cache.key_of("10"), 100));
}

TEST(VerdictCache, KeysDifferFromCacheToCache) {
  EXPECT_NE(VerdictCache().key_of("token"), VerdictCache().key_of("token"));
}

// 200: good, 401: bad, anything else: unknown.
class StatusQuestion final : public Question {
 public:
  StatusQuestion(Url url, std::shared_ptr<const fetch::Trust> trust)
      : url_(std::move(url)), trust_(std::move(trust)) {}
  fetch::Request request(const Secret& token) const override {
    fetch::Request request;
    request.purpose = fetch::Purpose::kDelegated;
    request.url = url_;
    request.trust = trust_;
    request.fields.push_back({"Authorization", token});
    return request;
  }
  Verdict read(const fetch::Answer& answer, const Secret& token, int64_t) const override {
    if (answer.status == 200) return good(std::string(token.reveal()));
    if (answer.status == 401) return bad();
    return Verdict::refuses({ErrorCode::kSessionUnknown, "no answer", 0});
  }

 private:
  Url url_;
  std::shared_ptr<const fetch::Trust> trust_;
};

class RemoteJudgeTest : public SourceTest {
 protected:
  std::unique_ptr<RemoteJudge> judge(RemoteTimes times = {60, 60}) {
    return std::make_unique<RemoteJudge>(
        fetcher,
        std::make_unique<StatusQuestion>(Url{true, "127.0.0.1", issuer.port(), "/"}, trust(own)),
        times);
  }
  Verdict ask(RemoteJudge& remote, const std::string& token) {
    std::optional<Verdict> verdict;
    wait_until_done([&](const std::function<void()>& done) {
      remote.ask(token, [&verdict, done](Verdict said) {
        verdict = std::move(said);
        done();
      });
    });
    return verdict.value_or(Verdict::ask());
  }
};

TEST_F(RemoteJudgeTest, AGoodAnswerIsBelievedForItsTime) {
  say("200 OK", "");
  const auto remote = judge();
  const int64_t before = static_cast<int64_t>(event::wall_us() / 1'000'000);
  const Verdict first = ask(*remote, "alice");
  ASSERT_EQ(first.kind, Verdict::Kind::kPrincipal);
  EXPECT_EQ(first.principal.subject, "alice");
  EXPECT_GE(first.principal.believed_until, before + 60);
  EXPECT_LE(first.principal.believed_until, before + 90);
  EXPECT_EQ(ask(*remote, "alice").principal.believed_until, first.principal.believed_until);
  EXPECT_EQ(asked(), 1);
  ask(*remote, "bob");
  EXPECT_EQ(asked(), 2);
}

TEST_F(RemoteJudgeTest, ABadAnswerIsRememberedToo) {
  say("401 Unauthorized", "");
  const auto remote = judge();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(*remote, "x").error.code, ErrorCode::kUnauthorized);
  EXPECT_EQ(asked(), 1);
}

TEST_F(RemoteJudgeTest, AServiceThatFailsIsAskedAgain) {
  const auto remote = judge();
  EXPECT_EQ(ask(*remote, "alice").error.code, ErrorCode::kSessionUnknown);
  say("200 OK", "");
  EXPECT_EQ(ask(*remote, "alice").kind, Verdict::Kind::kPrincipal);
  EXPECT_EQ(asked(), 2);
}

TEST_F(RemoteJudgeTest, AServiceThatCannotBeReachedIsNotTheClientsFault) {
  RemoteJudge remote(
      fetcher, std::make_unique<StatusQuestion>(Url{true, "127.0.0.1", 1, "/"}, nullptr), {60, 60});
  const Verdict verdict = ask(remote, "alice");
  EXPECT_EQ(verdict.kind, Verdict::Kind::kRefused);
  EXPECT_EQ(verdict.error.code, ErrorCode::kSessionUnknown);
}

TEST_F(RemoteJudgeTest, WithoutBelievingEachAskIsAQuestion) {
  say("200 OK", "");
  const auto remote = judge({0, 0});
  ask(*remote, "alice");
  ask(*remote, "alice");
  EXPECT_EQ(asked(), 2);
}

TEST_F(RemoteJudgeTest, ManyWhoWaitForOneCredentialAreOneQuestion) {
  say("200 OK", "");
  const auto remote = judge();
  std::atomic<int> known{0};
  for (int i = 0; i < 500; ++i) {
    remote->ask("alice", [&](const Verdict& verdict) {
      if (verdict.kind == Verdict::Kind::kPrincipal) ++known;
    });
  }
  ask(*remote, "alice");
  EXPECT_EQ(known, 500);
  EXPECT_EQ(asked(), 1);
}

TEST_F(RemoteJudgeTest, WhatIsNoTokenIsNotAskedFor) {
  const RemoteAuthenticator link(judge());
  Evidence evidence;
  evidence.token = "emr-token_0.1~+/=";
  EXPECT_EQ(link.judge(evidence, 0).kind, Verdict::Kind::kAsk);
  for (const char* token : {"a b", "a\r\nX: y", "a\x7f", "\xc3\xa9"}) {
    evidence.token = token;
    EXPECT_EQ(link.judge(evidence, 0).kind, Verdict::Kind::kNotMine) << token;
  }
}

TEST_F(RemoteJudgeTest, AJudgeMayEndWhileItIsAsked) {
  auto remote = judge();
  std::atomic<bool> told{false};
  remote->ask("alice", [&](const Verdict&) { told = true; });
  remote.reset();
  fetcher.stop();
  EXPECT_TRUE(told);
}

}  // namespace kg::auth::remote_judge_test
