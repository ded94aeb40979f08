#include "proxy/server/renewal_teller.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/event/loop_support.h"

namespace kg::server::renewal_teller_test {

constexpr int64_t kEnd = 1'700'000'900;

auth::Principal session(const std::string& subject, int64_t expires_at = kEnd) {
  auth::Principal out;
  out.realm = "studio";
  out.subject = subject;
  out.expires_at = expires_at;
  return out;
}

class Renewals : public testing::Test {
 protected:
  bool tell(const auth::Place& place, std::span<const routing::Renewal> some) {
    if (!hears_) {
      ++unheard_;
      return false;
    }
    facts_.emplace_back(place.endpoint);
    told_.insert(told_.end(), some.begin(), some.end());
    return true;
  }
  bool until(const std::function<bool()>& done) { return event::run_until(loop_, done); }

  event::EventLoop loop_;
  bool hears_ = true;
  size_t unheard_ = 0;
  std::vector<std::string> facts_;  // endpoints
  std::vector<routing::Renewal> told_;
  RenewalTeller teller_{loop_,
                        [this](const auth::Place& place, auto some) { return tell(place, some); }};
};

TEST_F(Renewals, AreToldOnceAndTogether) {
  for (int i = 0; i < 100; ++i) {
    const std::string user = "user-" + std::to_string(i);
    teller_.note(session(user), {"analytics", "ep"});
    teller_.note(session(user), {"analytics", "ep"});
    teller_.note(session(user, kEnd + 1), {"analytics", "ep"});
  }
  teller_.note(session("alice"), {"analytics", "other"});
  EXPECT_TRUE(facts_.empty()) << "what comes together goes together";
  ASSERT_TRUE(until([&] { return told_.size() == 101; }));
  // 32 in a fact; the large endpoint holds up no other.
  EXPECT_EQ(facts_, (std::vector<std::string>{"ep", "other", "ep", "ep", "ep"}));
  EXPECT_EQ(std::ranges::count(told_, kEnd + 1, &routing::Renewal::expires_at), 100);
  teller_.note(session("user-7"), {"analytics", "ep"});
  teller_.note(session("bob"), {"analytics", "ep"});
  ASSERT_TRUE(until([&] { return told_.size() == 102; })) << "of the older one nothing is said";
}

TEST_F(Renewals, WhatAnotherReplicaToldIsNotToldAgain) {
  const auth::SessionMarks marks = auth::marks_of(session("alice"), "ep");
  const routing::Renewal heard{marks.subject, {}, {}, 0, kEnd};
  teller_.hear(std::vector{heard}, {"analytics", "ep"});
  teller_.note(session("alice"), {"analytics", "ep"});
  teller_.note(session("bob"), {"analytics", "ep"});
  ASSERT_TRUE(until([&] { return !told_.empty(); }));
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_NE(told_[0].subject, marks.subject);
}

TEST_F(Renewals, WaitForAController) {
  hears_ = false;
  teller_.note(session("alice"), {"analytics", "ep"});
  ASSERT_TRUE(until([&] { return unheard_ > 0; }));
  hears_ = true;
  ASSERT_TRUE(until([&] { return told_.size() == 1; }));
}

}  // namespace kg::server::renewal_teller_test
