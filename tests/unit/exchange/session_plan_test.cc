#include "proxy/exchange/session_plan.h"

#include <gtest/gtest.h>

namespace kg::exchange::session_plan_test {

constexpr uint64_t kSecond = 1'000'000;
constexpr uint64_t kIssued = 1'700'000'000;  // 2023-11-14 22:13:20 UTC
constexpr uint64_t kOpened = (kIssued + 100) * kSecond;

auth::Principal session_of(int64_t seconds, int64_t issued_at = kIssued) {
  auth::Principal out;
  out.issued_at = issued_at;
  out.expires_at = static_cast<int64_t>(kIssued) + seconds;
  return out;
}

SessionPlan plan(const auth::Principal& principal, const SessionRules& rules = {}) {
  return SessionPlan::make(principal, rules, kOpened, kOpened, false);
}

uint64_t after_issue(uint64_t us) { return us / kSecond - kIssued; }

TEST(SessionPlan, TellsAtTwoThirdsAndAMinuteBeforeTheEnd) {
  const SessionPlan made = plan(session_of(900));
  EXPECT_EQ(after_issue(made.first_notice_us), 600U);
  EXPECT_EQ(after_issue(made.expiry_us), 900U);
  EXPECT_EQ(after_issue(made.end_us), 1200U) << "five minutes of grace";
  EXPECT_EQ(after_issue(made.last_notice_us), 1140U);
  EXPECT_EQ(made.why(), ErrorCode::kSessionExpired);
}

TEST(SessionPlan, AShortSessionIsToldInTimeToo) {
  SessionRules rules;
  rules.expiry_grace_ms = 0;
  const SessionPlan made = plan(session_of(120), rules);
  EXPECT_EQ(after_issue(made.first_notice_us), 80U);
  EXPECT_EQ(after_issue(made.last_notice_us), 100U) << "half of what is left";
  EXPECT_EQ(after_issue(made.end_us), 120U);
}

TEST(SessionPlan, WithoutATimeOfIssueCountsFromWhenItWasSeen) {
  EXPECT_EQ(after_issue(plan(session_of(400, 0)).first_notice_us), 300U) << "100 + 2/3 of 300";
}

TEST(SessionPlan, AClockAheadOfOursDoesNotPutTheNoticeBehindTheExpiry) {
  const SessionPlan made = plan(session_of(10, kIssued + 30));
  EXPECT_EQ(made.first_notice_us, made.expiry_us);
  EXPECT_LE(made.last_notice_us, made.end_us);
}

TEST(SessionPlan, KeepTellsOnceAndEndsNothing) {
  SessionRules rules;
  rules.close_on_expiry = false;
  const SessionPlan made = plan(session_of(900), rules);
  EXPECT_TRUE(made.keeps);
  EXPECT_EQ(after_issue(made.first_notice_us), 600U);
  EXPECT_EQ(made.last_notice_us, kNeverUs);
  EXPECT_EQ(after_issue(made.end_us), 900U) << "where the expiry is counted";
  EXPECT_EQ(SessionPlan::make(session_of(900), rules, kOpened, kOpened, true).end_us, kNeverUs);
}

TEST(SessionPlan, ALifetimeEndsBothKinds) {
  SessionRules rules;
  rules.max_lifetime_ms = 300'000;
  for (const bool close : {true, false}) {
    rules.close_on_expiry = close;
    const SessionPlan made = plan(session_of(900), rules);
    EXPECT_EQ(after_issue(made.end_us), 400U);
    EXPECT_EQ(after_issue(made.first_notice_us), 300U);
    EXPECT_EQ(after_issue(made.last_notice_us), 350U);
    EXPECT_FALSE(made.keeps);
    EXPECT_EQ(made.why(), ErrorCode::kLifetimeOver);
  }
  rules.close_on_expiry = true;
  rules.max_lifetime_ms = 43'200'000;
  EXPECT_FALSE(plan(session_of(900), rules).by_lifetime) << "the sooner end counts";
}

TEST(SessionPlan, ASessionWithoutAnEndHasNone) {
  auth::Principal endless;
  endless.issued_at = kIssued;
  const SessionPlan made = plan(endless);
  EXPECT_EQ(made.first_notice_us, kNeverUs);
  EXPECT_EQ(made.end_us, kNeverUs);
}

TEST(SessionPlan, NoticesSayWhatEndsWhenAndHowToGoOn) {
  const SessionPlan made = plan(session_of(900));
  EXPECT_EQ(made.notice(made.first_notice_us, "r-7"),
            "[Kernelgate] Your session ends at 2023-11-14 22:28:20 UTC. This connection to the "
            "kernel closes at 2023-11-14 22:33:20 UTC, the kernel goes on. To renew it, write a "
            "fresh session token to the file that the Jupyter server's token renewer reads, or "
            "restart the Jupyter server with a fresh JUPYTER_GATEWAY_AUTH_TOKEN. (request r-7)\n");
  EXPECT_NE(made.notice(made.last_notice_us, "r").find("session ended at 2023-11-14 22:28:20"),
            std::string::npos);
  SessionRules rules;
  rules.close_on_expiry = false;
  EXPECT_NE(plan(session_of(900), rules).notice(kOpened, "r").find("stays open"),
            std::string::npos);
  rules.max_lifetime_ms = 300'000;
  const std::string text = plan(session_of(900), rules).notice(kOpened, "r");
  EXPECT_NE(text.find("closes at 2023-11-14 22:20:00 UTC: it has then been open"),
            std::string::npos)
      << text;
}

}  // namespace kg::exchange::session_plan_test
