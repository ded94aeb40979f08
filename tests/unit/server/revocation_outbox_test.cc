#include "proxy/server/revocation_outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/server/revocation_keeper.h"

namespace kg::server::revocation_outbox_test {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kNow = 1'700'000'000;

// What was said, as "revoke SCOPE" or "unrevoke SCOPE".
struct FakeReplicas final : Replicas {
  std::vector<std::string> scopes_for(const std::string& scope) const override {
    return scope.empty() ? own : std::vector{scope};
  }
  bool may_say(const std::string& scope) const override { return scope != foreign; }
  bool tell(const routing::RevocationNotice& notice) override {
    EXPECT_EQ(notice.revocation.name, "");
    if (hears) said.push_back((notice.revoked ? "revoke " : "unrevoke ") + notice.revocation.scope);
    return hears;
  }
  std::vector<std::string> take() { return std::exchange(said, {}); }

  std::vector<std::string> own{""};
  std::string foreign = "nobody's";
  std::vector<std::string> said;
  bool hears = true;
};

auth::Revocation entry(const std::string& scope = "") {
  auth::Revocation out = *auth::Revocation::parse(R"({"token_id": "t1"})").revocation;
  out.scope = scope;
  out.until = kNow + 1'000;
  return out;
}

class Outbox : public testing::Test {
 protected:
  Told put(bool revoked, const auth::Revocation& one) {
    return outbox_.put(replicas_, revoked, one, {}, now_us_);
  }
  void retell(uint64_t later_us) {
    now_us_ += later_us;
    outbox_.retell(replicas_, now_us_, kNow);
  }
  FakeReplicas replicas_;
  RevocationOutbox outbox_;
  uint64_t now_us_ = 1;
};

TEST_F(Outbox, SaysAgainWhatNoListShows) {
  EXPECT_EQ(put(true, entry()).how, Told::How::kAll);
  EXPECT_THAT(replicas_.take(), ElementsAre("revoke "));
  retell(kRetellUs - 1);
  EXPECT_THAT(replicas_.take(), IsEmpty());
  retell(1);
  EXPECT_THAT(replicas_.take(), ElementsAre("revoke "));
  outbox_.on_announced(replicas_, {entry()}, 1);
  retell(kRetellUsMax);
  EXPECT_THAT(replicas_.take(), IsEmpty());
}

TEST_F(Outbox, WaitsForAController) {
  replicas_.hears = false;
  replicas_.own.clear();
  EXPECT_EQ(put(true, entry()).how, Told::How::kNobody);
  replicas_.hears = true;
  replicas_.own = {"analytics", "research/ep"};
  retell(1);
  EXPECT_THAT(replicas_.take(), ElementsAre("revoke analytics", "revoke research/ep"));
  outbox_.on_announced(replicas_, {entry("analytics")}, 1);
  retell(kRetellUs);
  EXPECT_EQ(replicas_.take().size(), 2U) << "one of its scopes does not show it";
  const Told narrower = put(true, entry("analytics"));
  EXPECT_EQ(narrower.how, Told::How::kScope);
  EXPECT_THAT(narrower.scopes, ElementsAre("analytics"));
}

TEST_F(Outbox, WhatAnotherReplicaTookBackIsNotSaidAgain) {
  put(true, entry());
  EXPECT_THAT(outbox_.on_announced(replicas_, {entry()}, 1), IsEmpty());
  EXPECT_THAT(outbox_.on_announced(replicas_, {}, 1), ElementsAre(entry().marked()));
  replicas_.take();
  retell(kRetellUsMax);
  EXPECT_THAT(replicas_.take(), IsEmpty());
}

TEST_F(Outbox, AListThatItsKeySeesNoLongerTakesNothingBack) {
  replicas_.own = {"analytics", "research"};
  put(true, entry());
  outbox_.on_announced(replicas_, {entry("analytics"), entry("research")}, 1);
  replicas_.take();
  replicas_.own = {"analytics"};
  replicas_.foreign = "research";
  EXPECT_THAT(outbox_.on_announced(replicas_, {entry("analytics")}, 1), IsEmpty());
  retell(1);
  EXPECT_THAT(replicas_.take(), ElementsAre("revoke analytics"));
  outbox_.on_announced(replicas_, {entry("analytics")}, 1);
  EXPECT_THAT(outbox_.on_announced(replicas_, {}, 1), ElementsAre(entry().marked()))
      << "where it speaks, another replica may";
}

TEST_F(Outbox, WhatAnotherTermDoesNotKnowIsSaidAgain) {
  put(true, entry());
  outbox_.on_announced(replicas_, {entry()}, 7);
  EXPECT_THAT(outbox_.on_announced(replicas_, {}, 2), IsEmpty()) << "a cluster that was restored";
  replicas_.take();
  retell(1);
  EXPECT_THAT(replicas_.take(), ElementsAre("revoke "));
}

TEST_F(Outbox, TakingBackIsSaidUntilNoListShowsIt) {
  put(true, entry());
  outbox_.on_announced(replicas_, {entry()}, 1);
  put(false, entry());
  EXPECT_THAT(replicas_.take(), ElementsAre("revoke ", "unrevoke "));
  outbox_.on_announced(replicas_, {entry()}, 1);
  retell(kRetellUs);
  EXPECT_THAT(replicas_.take(), ElementsAre("unrevoke "));
  outbox_.on_announced(replicas_, {}, 1);
  retell(kRetellUsMax);
  EXPECT_THAT(replicas_.take(), IsEmpty());
}

TEST_F(Outbox, TakingBackUndoesNoLaterRevocation) {
  put(false, entry());
  replicas_.take();
  outbox_.on_announced(replicas_, {entry()}, 1);
  retell(kTakeBackUs);
  EXPECT_THAT(replicas_.take(), IsEmpty());
}

TEST(RevocationKeeperOfReplicas, HoldsABoundedNumberOfEachNamespace) {
  RevocationKeeper keeper;
  auth::Revocation one = entry("analytics").marked();
  size_t held = 0;
  for (unsigned char i = 0; i < 255; ++i) {
    for (unsigned char j = 0; j < 2; ++j) {
      one.mark[0] = i;
      one.mark[1] = j;
      if (keeper.hear(one, kNow) == RevocationKeeper::Heard::kNew) ++held;
    }
  }
  EXPECT_EQ(held, auth::kRevocationsPerNamespaceMax);
  EXPECT_EQ(keeper.hear(one, kNow), RevocationKeeper::Heard::kNoRoom);
  one.scope = "research/ep";
  EXPECT_EQ(keeper.hear(one, kNow), RevocationKeeper::Heard::kNew) << "another's room";
  EXPECT_EQ(keeper.hear(one, kNow), RevocationKeeper::Heard::kKnown);
  one.scope = "";
  EXPECT_EQ(keeper.hear(one, kNow), RevocationKeeper::Heard::kNew);
  // Once announced, the feed's word counts.
  keeper.set_announced({one});
  EXPECT_EQ(keeper.hear(one, kNow), RevocationKeeper::Heard::kKnown);
  EXPECT_FALSE(keeper.forget_heard(one));
}

TEST(RevocationKeeperOfReplicas, TakesBackWhatTheScopesAllow) {
  RevocationKeeper keeper;
  auth::Revocation mine = entry();
  ASSERT_TRUE(keeper.add(mine, kNow));
  keeper.set_announced({entry().marked(), entry("analytics").marked()});
  const RevocationKeeper::Found found = keeper.find(entry());
  EXPECT_EQ(found.calls, 1U);
  EXPECT_THAT(found.scopes, ElementsAre("", "analytics"));
  EXPECT_THAT(keeper.find(entry("analytics")).scopes, ElementsAre("analytics"));
  EXPECT_EQ(keeper.remove(entry(), {"analytics"}), 1U);
  EXPECT_THAT(keeper.announced(), ElementsAre(entry().marked()));
}

}  // namespace kg::server::revocation_outbox_test
