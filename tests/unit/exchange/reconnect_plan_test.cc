// When a lost gateway is tried again, and what its answers mean.
#include "proxy/exchange/reconnect_plan.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "proxy/base/limits.h"

namespace kg::exchange::reconnect_plan_test {

using Verdict = ReconnectPlan::Verdict;

constexpr uint64_t kSecond = 1'000'000;
constexpr uint64_t kStart = 5 * kSecond;

TEST(ReconnectPlan, TheFirstTryIsSoonAndSpread) {
  for (const uint32_t chance : {0U, 1U, 99U, 100U, 12'345'678U}) {
    ReconnectPlan plan(10'000);
    plan.lost(kStart);
    EXPECT_LE(plan.pause_ms(kStart, chance).value(), limits::kReconnectPauseMs);
  }
  ReconnectPlan plan(10'000);
  plan.lost(kStart);
  EXPECT_EQ(plan.pause_ms(kStart, 0), 0U);
}

TEST(ReconnectPlan, PausesGrowToTheirBound) {
  ReconnectPlan plan(60'000);
  plan.lost(kStart);
  plan.pause_ms(kStart, 0);
  for (const uint32_t most : {200U, 400U, 800U, 1'600U, 2'000U, 2'000U}) {
    const uint32_t pause = plan.pause_ms(kStart, most / 2).value();  // the longest of these
    EXPECT_EQ(pause, most);
  }
  EXPECT_EQ(plan.pause_ms(kStart, 0), 1'000U) << "the shortest";
}

TEST(ReconnectPlan, NoTryComesAfterItsTime) {
  ReconnectPlan plan(300);
  plan.lost(kStart);
  EXPECT_FALSE(plan.is_over(kStart));
  plan.pause_ms(kStart, 0);
  EXPECT_EQ(plan.pause_ms(kStart + 250'000, 999), 50U) << "no pause lasts longer";
  EXPECT_EQ(plan.pause_ms(kStart + 300'000, 0), std::nullopt);
  EXPECT_TRUE(plan.is_over(kStart + 300'000));
}

TEST(ReconnectPlan, ALossSoonAfterContinuesTheOneBefore) {
  ReconnectPlan plan(10'000);
  plan.lost(kStart);
  plan.mended(kStart + 1 * kSecond);
  plan.lost(kStart + 9 * kSecond);
  EXPECT_EQ(plan.pause_ms(kStart + 10 * kSecond, 0), std::nullopt);
}

TEST(ReconnectPlan, ALossLongAfterBeginsAnew) {
  ReconnectPlan plan(10'000);
  plan.lost(kStart);
  plan.pause_ms(kStart, 0);
  plan.mended(kStart + 1 * kSecond);
  plan.lost(kStart + 11 * kSecond);
  EXPECT_EQ(plan.pause_ms(kStart + 11 * kSecond, 0), 0U);
  EXPECT_FALSE(plan.is_over(kStart + 20 * kSecond));
}

TEST(ReconnectPlan, AnswersMeanWhatTheTableSays) {
  EXPECT_EQ(ReconnectPlan::judge(101), Verdict::kJoin);
  EXPECT_EQ(ReconnectPlan::judge(404), Verdict::kDead);
  for (const uint16_t status : std::initializer_list<uint16_t>{429, 500, 502, 503, 504}) {
    EXPECT_EQ(ReconnectPlan::judge(status), Verdict::kAgain) << status;
  }
  for (const uint16_t status :
       std::initializer_list<uint16_t>{200, 204, 302, 400, 401, 403, 410, 501}) {
    EXPECT_EQ(ReconnectPlan::judge(status), Verdict::kRefused) << status;
  }
}

}  // namespace kg::exchange::reconnect_plan_test
