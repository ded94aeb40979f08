// The watch with a clock of the test's: it is looked at as the timer would.
#include "proxy/exchange/session_watch.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/limits.h"

namespace kg::exchange::session_watch_test {

constexpr uint64_t kSecond = 1'000'000;
constexpr uint64_t kStart = 1'700'000'000;

class FakeSocket final : public WatchedSocket {
 public:
  void tell_user(const std::string& text) override { told.push_back(text); }
  void tell_user_now() override { ++told_now; }
  void take_notice_back() override { ++taken_back; }
  void expel(ErrorCode why) override {
    expelled.push_back(why);
    if (dies) seat.reset();
  }
  void recheck(const ShownRef& shown) override { rechecked.push_back(shown); }
  std::string_view watched_request_id() const noexcept override { return "r-1"; }

  std::vector<std::string> told;
  int told_now = 0;
  int taken_back = 0;
  std::vector<ErrorCode> expelled;
  std::vector<ShownRef> rechecked;
  std::optional<SessionWatch::Seat> seat;
  bool dies = true;
};

PrincipalRef session(uint64_t expires_after, const std::string& subject = "alice",
                     const std::string& token_id = "t1") {
  auth::Principal out;
  out.realm = "studio";
  out.subject = subject;
  out.token_id = token_id;
  out.issued_at = kStart;
  out.expires_at = static_cast<int64_t>(kStart + expires_after);
  return std::make_shared<const auth::Principal>(std::move(out));
}

class SessionWatchTest : public testing::Test {
 protected:
  SessionWatchTest() { rules_.expiry_grace_ms = 10'000; }
  static uint64_t at(uint64_t seconds) { return (kStart + seconds) * kSecond; }
  void open(FakeSocket& socket, const PrincipalRef& principal, uint64_t seconds = 0,
            const std::string& endpoint = "ep") {
    socket.seat.emplace(watch_, socket, principal, place(endpoint), rules_, nullptr, at(seconds));
  }
  static auth::Place place(std::string_view endpoint) { return {"analytics", endpoint}; }
  void show(const PrincipalRef& principal, const std::string& endpoint, uint64_t now_us) {
    if (!watch_.is_news(*principal, place(endpoint), now_us)) return;
    const ShownCredential shown{Secret(principal->token_id), Secret()};
    watch_.tell(principal, place(endpoint), std::make_shared<const ShownCredential>(shown), now_us);
  }
  void revoke(const std::string& line) {
    const auto read = auth::Revocations::read_lines(line);
    watch_.set_revocations(
        std::make_shared<const auth::Revocations>(read.entries, static_cast<int64_t>(kStart)));
  }

  event::EventLoop loop_;
  metrics::WorkerMetrics metrics_{1};
  SessionBoard board_;
  SessionWatch watch_{loop_, metrics_, board_};
  SessionRules rules_;
};

TEST_F(SessionWatchTest, TellsTwiceThenEnds) {
  FakeSocket socket;
  open(socket, session(90));
  watch_.look(at(59));
  EXPECT_TRUE(socket.told.empty());
  watch_.look(at(60));
  watch_.look(at(79));
  EXPECT_EQ(socket.told.size(), 1U);
  watch_.look(at(80));  // the last notice: half of the time from the first to the end
  ASSERT_EQ(socket.told.size(), 2U);
  watch_.look(at(99));
  EXPECT_TRUE(socket.expelled.empty()) << "grace";
  watch_.look(at(100));
  EXPECT_EQ(socket.expelled, std::vector{ErrorCode::kSessionExpired});
  EXPECT_EQ(metrics_.websockets_expired.get(), 1U);
  EXPECT_EQ(watch_.open(), 0U);
  EXPECT_EQ(board_.open.load(), 0U);
}

TEST_F(SessionWatchTest, ANoticeWaitsForACellHalfTheTimeToTheNextStep) {
  FakeSocket socket;
  open(socket, session(90));
  watch_.look(at(60));
  watch_.look(at(69));
  EXPECT_EQ(socket.told_now, 0);
  watch_.look(at(70));
  EXPECT_EQ(socket.told_now, 1);
  watch_.look(at(80));
  watch_.look(at(90));
  EXPECT_EQ(socket.told_now, 2);
}

TEST_F(SessionWatchTest, ARenewalTakesTheNoticeBack) {
  FakeSocket socket;
  open(socket, session(90));
  watch_.look(at(60));
  show(session(900), "ep", at(61));
  EXPECT_EQ(socket.taken_back, 1);
  watch_.look(at(71));
  EXPECT_EQ(socket.told_now, 0);
}

TEST_F(SessionWatchTest, OfSeveralStepsThatAreDueOnlyTheLastIsDone) {
  FakeSocket late;
  open(late, session(90), 85);
  watch_.look(at(85));
  EXPECT_EQ(late.told.size(), 1U) << "one notice, not two";
  FakeSocket dead;
  open(dead, session(90), 105);
  watch_.look(at(105));
  EXPECT_TRUE(dead.told.empty());
  EXPECT_EQ(dead.expelled.size(), 1U);
}

TEST_F(SessionWatchTest, AnEndingSocketIsNotToldTwice) {
  FakeSocket socket;
  socket.dies = false;
  open(socket, session(90));
  watch_.look(at(100));
  revoke(R"({"token_id": "t1"})");
  EXPECT_EQ(watch_.expel_revoked(at(101)), 0U);
  show(session(900), "ep", at(101));
  watch_.look(at(1000));
  EXPECT_EQ(socket.expelled.size(), 1U);
  EXPECT_EQ(metrics_.websockets_renewed.get(), 0U);
  socket.seat.reset();
}

TEST_F(SessionWatchTest, AFresherSessionOfTheSamePersonRenews) {
  FakeSocket socket;
  open(socket, session(90));
  watch_.look(at(60));
  show(session(900), "ep", at(61));
  EXPECT_EQ(metrics_.websockets_renewed.get(), 1U);
  watch_.look(at(200));
  EXPECT_TRUE(socket.expelled.empty());
  EXPECT_EQ(socket.told.size(), 1U);
  watch_.look(at(600));
  EXPECT_EQ(socket.told.size(), 2U) << "told anew when the new one nears its end";
  watch_.look(at(910));
  EXPECT_EQ(socket.expelled.size(), 1U);
}

TEST_F(SessionWatchTest, NothingElseRenews) {
  FakeSocket socket;
  open(socket, session(90));
  show(session(90), "ep", at(1));
  show(session(80), "ep", at(1));
  show(session(900, "bob"), "ep", at(1));
  show(session(900), "other", at(1));
  auth::Principal stranger = *session(900);
  stranger.realm = "okta";
  show(std::make_shared<const auth::Principal>(stranger), "ep", at(1));
  EXPECT_EQ(metrics_.websockets_renewed.get(), 0U);
  watch_.look(at(100));
  EXPECT_EQ(socket.expelled.size(), 1U);
}

TEST_F(SessionWatchTest, KeepCountsAndGoesOnUntilTheLifetimeEnds) {
  rules_.close_on_expiry = false;
  rules_.max_lifetime_ms = 300'000;
  FakeSocket socket;
  open(socket, session(90));
  watch_.look(at(60));
  watch_.look(at(90));
  EXPECT_EQ(metrics_.websockets_kept.get(), 1U);
  EXPECT_TRUE(socket.expelled.empty());
  EXPECT_EQ(socket.told.size(), 1U);
  watch_.look(at(299));
  EXPECT_EQ(metrics_.websockets_kept.get(), 1U);
  watch_.look(at(300));
  EXPECT_EQ(socket.expelled, std::vector{ErrorCode::kLifetimeOver});
}

TEST_F(SessionWatchTest, ARevocationEndsAllThatItConcernsAtOnce) {
  std::vector<FakeSocket> sockets(4);
  open(sockets[0], session(90));
  open(sockets[1], session(90, "alice", "t2"));
  open(sockets[2], session(90, "bob", "t3"));
  open(sockets[3], session(90, "bob", "t4"), 0, "other");
  revoke(R"({"subject": "alice", "realm": "studio"})");
  EXPECT_EQ(watch_.expel_revoked(at(1)), 2U);
  EXPECT_EQ(watch_.open(), 2U);
  revoke(R"({"endpoint": "other"})");
  EXPECT_EQ(watch_.expel_revoked(at(1)), 1U);
  EXPECT_EQ(metrics_.websockets_revoked.get(), 3U);
  EXPECT_EQ(sockets[0].expelled, std::vector{ErrorCode::kSessionRevoked});
  EXPECT_TRUE(sockets[2].expelled.empty());
}

TEST_F(SessionWatchTest, WhatWasRevokedWhileItOpenedEndsToo) {
  revoke(R"({"token_id": "t1"})");
  FakeSocket socket;
  open(socket, session(90));
  watch_.expel_if_revoked(*socket.seat, at(0));
  EXPECT_EQ(socket.expelled.size(), 1U);
}

TEST_F(SessionWatchTest, ABelievedSessionIsJudgedAgainWhenItsTimeIsOver) {
  auth::Principal asked = *session(900);
  asked.believed_until = kStart + 30;
  FakeSocket socket;
  open(socket, std::make_shared<const auth::Principal>(asked));
  watch_.look(at(29));
  EXPECT_TRUE(socket.rechecked.empty());
  watch_.look(at(30) + limits::kRecheckSpreadMs * 1'000);
  ASSERT_EQ(socket.rechecked.size(), 1U);
  EXPECT_EQ(socket.rechecked[0], nullptr) << "what its own request showed";
  asked.believed_until = kStart + 60;
  watch_.judged(*socket.seat, std::make_shared<const auth::Principal>(asked), nullptr, rules_,
                at(36));
  watch_.look(at(59));
  EXPECT_EQ(socket.rechecked.size(), 1U);
  watch_.look(at(66));
  EXPECT_EQ(socket.rechecked.size(), 2U);
  watch_.judged(*socket.seat, Error{ErrorCode::kSessionUnknown, "", 0}, nullptr, rules_, at(66));
  EXPECT_TRUE(socket.expelled.empty()) << "not the user's fault";
  watch_.look(at(97));
  EXPECT_EQ(socket.rechecked.size(), 3U) << "asked again";
  watch_.judged(*socket.seat, Error{ErrorCode::kUnauthorized, "", 0}, nullptr, rules_, at(97));
  EXPECT_EQ(socket.expelled, std::vector{ErrorCode::kSessionRevoked});
  EXPECT_EQ(metrics_.websockets_revoked.get(), 1U);
}

TEST_F(SessionWatchTest, ARenewedSessionIsJudgedByWhatRenewedIt) {
  FakeSocket socket;
  open(socket, session(90));
  show(session(900, "alice", "fresh"), "ep", at(1));
  watch_.recheck_all(at(2));
  watch_.look(at(2) + limits::kRecheckSpreadMs * 1'000);
  ASSERT_EQ(socket.rechecked.size(), 1U);
  ASSERT_NE(socket.rechecked[0], nullptr);
  EXPECT_EQ(socket.rechecked[0]->token.reveal(), "fresh");
}

TEST_F(SessionWatchTest, AnExpiredOneThatIsJudgedAnewKeepsItsGrace) {
  FakeSocket socket;
  open(socket, session(90));
  watch_.recheck_all(at(92));
  watch_.look(at(98));
  watch_.judged(*socket.seat, Error{ErrorCode::kSessionExpired, "", 0}, nullptr, rules_, at(98));
  EXPECT_TRUE(socket.expelled.empty());
  watch_.look(at(100));
  EXPECT_EQ(socket.expelled, std::vector{ErrorCode::kSessionExpired});
}

TEST_F(SessionWatchTest, NewRulesCountForOpenSockets) {
  FakeSocket socket;
  open(socket, session(90));
  rules_.close_on_expiry = false;
  watch_.judged(*socket.seat, session(90), nullptr, rules_, at(1));
  watch_.look(at(200));
  EXPECT_TRUE(socket.expelled.empty());
  EXPECT_EQ(metrics_.websockets_kept.get(), 1U);
}

TEST_F(SessionWatchTest, OtherWorkersHearOfAFresherSessionOnceInAWhile) {
  event::EventLoop other_loop;
  // Not on the stack: it has cache lines of its own.
  const auto other_metrics = std::make_unique<metrics::WorkerMetrics>(1U);
  SessionWatch other(other_loop, *other_metrics, board_);
  FakeSocket socket;
  socket.seat.emplace(other, socket, session(90), place("ep"), rules_, nullptr, at(0));
  show(session(900), "ep", at(1));
  other_loop.post([&other_loop] { other_loop.stop(); });
  other_loop.run();
  EXPECT_EQ(other_metrics->websockets_renewed.get(), 1U);
  EXPECT_EQ(socket.seat->principal().expires_at, static_cast<int64_t>(kStart + 900));
}

// What a replica says of a session like session(expires_after, subject, token_id).
routing::Renewal renewal(const PrincipalRef& fresh) {
  const auth::SessionMarks marks = auth::marks_of(*fresh, "ep");
  return {marks.subject, marks.token, marks.session, fresh->issued_at, fresh->expires_at};
}

TEST_F(SessionWatchTest, AReplicasRenewalLetsLiveOnAndBearsItsOwnRevocation) {
  FakeSocket socket;
  open(socket, session(90));
  watch_.hear(renewal(session(900, "alice", "fresh")), place("ep"), at(1));
  EXPECT_EQ(metrics_.websockets_renewed.get(), 1U);
  EXPECT_EQ(socket.seat->principal().expires_at, static_cast<int64_t>(kStart + 900));
  watch_.look(at(200));
  EXPECT_TRUE(socket.expelled.empty());
  // Judged anew by what was shown here, it keeps what was heard.
  watch_.judged(*socket.seat, session(90), nullptr, rules_, at(201));
  EXPECT_EQ(socket.seat->principal().expires_at, static_cast<int64_t>(kStart + 900));
  revoke(R"({"token_id": "fresh"})");
  EXPECT_EQ(watch_.expel_revoked(at(202)), 1U);
}

TEST_F(SessionWatchTest, WhoLivesByAReplicasWordIsHeldToThePolicyOfNow) {
  auth::Policy policy;
  policy.endpoint_id = "ep";
  policy.allowed.subjects = {"alice"};
  const auto before = std::make_shared<const auth::Sessions>(auth::Sessions::Chain(), policy);
  policy.allowed.subjects = {"bob"};
  const auto narrowed = std::make_shared<const auth::Sessions>(auth::Sessions::Chain(), policy);
  const Error expired{ErrorCode::kSessionExpired, "", 0};
  FakeSocket socket;
  open(socket, session(90));
  watch_.hear(renewal(session(900, "alice", "fresh")), place("ep"), at(1));
  watch_.judged(*socket.seat, expired, before, rules_, at(200));
  watch_.look(at(300));
  EXPECT_TRUE(socket.expelled.empty()) << "what was shown here is over, and admitted still";
  watch_.judged(*socket.seat, expired, narrowed, rules_, at(301));
  EXPECT_EQ(socket.expelled, std::vector{ErrorCode::kForbidden});
}

TEST_F(SessionWatchTest, AReplicasWordHarmsNobodyElseAndRevivesNothing) {
  rules_.max_lifetime_ms = 300'000;
  FakeSocket socket;
  open(socket, session(90));
  const routing::Renewal fresh = renewal(session(900, "alice", "fresh"));
  watch_.hear(fresh, {"research", "ep"}, at(1));
  watch_.hear(fresh, place("other"), at(1));
  watch_.hear(renewal(session(900, "bob")), place("ep"), at(1));
  watch_.hear(renewal(session(80)), place("ep"), at(1));
  EXPECT_EQ(metrics_.websockets_renewed.get(), 0U);
  revoke(R"({"token_id": "fresh"})");
  watch_.hear(fresh, place("ep"), at(2));
  EXPECT_EQ(metrics_.websockets_renewed.get(), 0U) << "revoked before it was heard of";
  revoke("");
  routing::Renewal endless = fresh;
  endless.expires_at = std::numeric_limits<int64_t>::max();
  watch_.hear(endless, place("ep"), at(3));
  EXPECT_EQ(socket.seat->principal().expires_at,
            static_cast<int64_t>(kStart + 3) + limits::kRevocationSeconds)
      << "as far as any token goes";
  watch_.look(at(300));
  EXPECT_EQ(socket.expelled, std::vector{ErrorCode::kLifetimeOver}) << "of this replica's policy";
}

TEST_F(SessionWatchTest, WhatOpenedASocketEndsItEvenWhenItWasRenewed) {
  FakeSocket here;
  FakeSocket heard;
  open(here, session(90, "alice", "stolen"));
  open(heard, session(90, "bob", "stolen too"));
  show(session(900, "alice", "fresh"), "ep", at(1));
  watch_.hear(renewal(session(900, "bob", "fresh")), place("ep"), at(1));
  EXPECT_EQ(metrics_.websockets_renewed.get(), 2U);
  revoke("{\"token_id\": \"stolen\"}\n{\"token_id\": \"stolen too\"}");
  EXPECT_EQ(watch_.expel_revoked(at(2)), 2U);
}

TEST_F(SessionWatchTest, ReplicasAreToldOfEachFresherSessionOnce) {
  std::vector<int64_t> told;
  board_.tell_replicas([&](const PrincipalRef& principal, const auth::Place& where) {
    EXPECT_EQ(where.virtual_cluster, "analytics");
    told.push_back(principal->expires_at - static_cast<int64_t>(kStart));
  });
  show(session(90), "ep", at(0));
  show(session(90), "ep", at(4));
  show(session(900), "ep", at(5));
  show(session(900), "ep", at(9));
  EXPECT_EQ(told, (std::vector<int64_t>{90, 900})) << "though no WebSocket is open here";
  FakeSocket socket;
  open(socket, session(900));
  show(session(900), "ep", at(20));
  EXPECT_EQ(told.size(), 2U);
  show(session(900), "ep", at(5) + uint64_t{kRenewalRetellMs} * 1'000);
  EXPECT_EQ(told.size(), 3U) << "somebody may have missed it";
  auth::Principal asked = *session(2'000);
  asked.believed_until = kStart + 30;
  show(std::make_shared<const auth::Principal>(asked), "ep", at(400));
  EXPECT_EQ(told.size(), 3U);
}

}  // namespace kg::exchange::session_watch_test
