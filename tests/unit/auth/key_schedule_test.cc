#include "auth/key_schedule.h"

#include <gtest/gtest.h>

namespace kg::auth::key_schedule_test {

constexpr uint64_t kSecond = 1'000'000;
constexpr uint64_t kNow = 1'000 * kSecond;

// Seconds after `now` at which the schedule is due.
uint64_t due_after(const KeySchedule& schedule, uint64_t now) {
  for (uint64_t s = 0; s < 100'000; ++s) {
    if (schedule.is_due(now + s * kSecond)) return s;
  }
  return UINT64_MAX;
}

TEST(KeySchedule, ANewOneIsDueAtOnce) {
  const KeySchedule schedule(0, 3'600);
  EXPECT_TRUE(schedule.is_due(0));
  EXPECT_EQ(schedule.fetched_us(), 0U);
}

TEST(KeySchedule, KeysAreFetchedAheadOfTheirEnd) {
  KeySchedule schedule(0, 3'600);
  schedule.on_good(kNow, 1'000);
  EXPECT_EQ(due_after(schedule, kNow), 800U);
}

TEST(KeySchedule, AnIssuerCannotMakeUsAskTooOftenOrTooSeldom) {
  KeySchedule schedule(0, 3'600);
  schedule.on_good(kNow, 0);
  EXPECT_EQ(due_after(schedule, kNow), 48U);
  schedule.on_good(kNow, 2'147'483'648);
  EXPECT_EQ(due_after(schedule, kNow), 2'880U);
  schedule.on_good(kNow, std::nullopt);
  EXPECT_EQ(due_after(schedule, kNow), 240U);
}

TEST(KeySchedule, AConfiguredPeriodCountsInstead) {
  KeySchedule schedule(7, 3'600);
  schedule.on_good(kNow, 1'000);
  EXPECT_EQ(due_after(schedule, kNow), 7U);
}

TEST(KeySchedule, AnIssuerThatIsDownIsAskedLessAndLessButNeverSeldom) {
  KeySchedule schedule(0, 3'600);
  for (const uint64_t wait : {1U, 2U, 4U, 8U, 16U, 30U, 30U, 30U}) {
    schedule.on_bad(kNow);
    EXPECT_EQ(due_after(schedule, kNow), wait);
  }
  for (int i = 0; i < 100; ++i) schedule.on_bad(kNow);
  EXPECT_EQ(due_after(schedule, kNow), 30U);
  schedule.on_good(kNow, 1'000);
  EXPECT_EQ(schedule.failures(), 0U);
  EXPECT_EQ(due_after(schedule, kNow), 800U);
}

TEST(KeySchedule, KeysServeOnForTheirTimeAndNoLonger) {
  KeySchedule schedule(0, 3'600);
  EXPECT_FALSE(schedule.take_expired(kNow * 1'000)) << "there are none";
  schedule.on_good(kNow, 60);
  schedule.on_bad(kNow + 60 * kSecond);
  EXPECT_FALSE(schedule.take_expired(kNow + 3'599 * kSecond));
  EXPECT_TRUE(schedule.take_expired(kNow + 3'600 * kSecond));
  EXPECT_FALSE(schedule.take_expired(kNow + 3'601 * kSecond)) << "told once";
}

TEST(KeySchedule, UnknownKidsAreAskedForOnceInTenSeconds) {
  KeySchedule schedule(0, 3'600);
  EXPECT_TRUE(schedule.may_learn(kNow));
  schedule.on_learn(kNow);
  EXPECT_FALSE(schedule.may_learn(kNow + 9'999'999));
  EXPECT_TRUE(schedule.may_learn(kNow + 10 * kSecond));
}

}  // namespace kg::auth::key_schedule_test
