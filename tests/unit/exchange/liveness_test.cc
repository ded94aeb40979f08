#include "proxy/exchange/liveness.h"

#include <gtest/gtest.h>

namespace kg::exchange::liveness_test {

using Need = Liveness::Need;

constexpr uint64_t kSecond = 1'000'000;
constexpr uint64_t kBegin = 1'000 * kSecond;

class LivenessTest : public testing::Test {
 protected:
  Need need_at(uint64_t second) { return life_.judge(kBegin + second * kSecond).need; }
  uint64_t again_after(uint64_t second) {
    return (life_.judge(kBegin + second * kSecond).again_us - kBegin) / kSecond;
  }
  void heard_at(uint64_t second) { life_.heard(kBegin + second * kSecond); }
  void asked_at(uint64_t second) { life_.asked(kBegin + second * kSecond); }

  Liveness life_{25'000, 75'000, kBegin};
};

TEST_F(LivenessTest, OnlyTheSilentAreAsked) {
  EXPECT_EQ(need_at(24), Need::kNothing);
  EXPECT_EQ(again_after(24), 25U);
  EXPECT_EQ(need_at(25), Need::kQuestion);
  heard_at(20);
  EXPECT_EQ(need_at(44), Need::kNothing);
  EXPECT_EQ(again_after(44), 45U);
  EXPECT_EQ(need_at(45), Need::kQuestion);
}

TEST_F(LivenessTest, DeadAfterSilenceInSpiteOfAQuestion) {
  asked_at(25);
  EXPECT_EQ(need_at(74), Need::kNothing);
  EXPECT_EQ(again_after(25), 50U) << "it may answer at once and be silent again";
  EXPECT_EQ(again_after(74), 75U);
  EXPECT_EQ(need_at(75), Need::kFuneral);
}

TEST_F(LivenessTest, WhoWasAskedLateHasItsTimeToAnswer) {
  asked_at(70);  // no frame boundary before
  EXPECT_EQ(need_at(75), Need::kNothing);
  EXPECT_EQ(again_after(100), 120U);
  EXPECT_EQ(need_at(120), Need::kFuneral);
}

TEST_F(LivenessTest, WithoutAQuestionNobodyIsDead) { EXPECT_EQ(need_at(10'000), Need::kQuestion); }

TEST_F(LivenessTest, AnyByteProvesLife) {
  asked_at(25);
  heard_at(74);
  EXPECT_EQ(need_at(75), Need::kNothing);
  EXPECT_EQ(need_at(99), Need::kQuestion) << "the old question was answered by that byte";
}

TEST_F(LivenessTest, APingOfTheOtherEndIsAQuestion) {
  life_.asked_by_other_end(kBegin + 10 * kSecond);
  life_.asked_by_other_end(kBegin + 40 * kSecond);
  EXPECT_EQ(need_at(25), Need::kNothing) << "one that waits is enough";
  EXPECT_EQ(need_at(75), Need::kFuneral);
  life_.answered_other_end();
  EXPECT_EQ(need_at(75), Need::kQuestion);
}

TEST_F(LivenessTest, TimeNeverGoesBack) {
  heard_at(30);
  heard_at(10);
  EXPECT_EQ(again_after(30), 55U);
}

}  // namespace kg::exchange::liveness_test
