#include "proxy/upstream/retry_budget.h"

#include <gtest/gtest.h>

namespace kg::upstream::retry_budget_test {

constexpr uint64_t kSecond = 1'000'000;
constexpr uint64_t kStart = 5'000 * kSecond;
constexpr uint64_t kWindow = limits::kRetryWindowSeconds * kSecond;

uint32_t taken(RetryBudget& budget, uint64_t now_us) {
  uint32_t count = 0;
  while (count < 10'000 && budget.take(now_us)) ++count;
  return count;
}

TEST(RetryBudget, AFewAreAllowedWhereNothingGoesUp) {
  RetryBudget budget;
  EXPECT_EQ(taken(budget, kStart), limits::kRetryBudgetMin);
  EXPECT_FALSE(budget.take(kStart + kWindow - kSecond));
  EXPECT_EQ(taken(budget, kStart + kWindow), limits::kRetryBudgetMin) << "the next window";
}

TEST(RetryBudget, IsAShareOfTheRequests) {
  RetryBudget budget;
  for (uint64_t i = 0; i < 1000; ++i) budget.count_request(kStart + i * 5'000);
  EXPECT_EQ(taken(budget, kStart + 6 * kSecond), 10 * limits::kRetryBudgetPercent);
  for (int i = 0; i < 100; ++i) budget.count_request(kStart + 6 * kSecond);
  EXPECT_EQ(taken(budget, kStart + 7 * kSecond), limits::kRetryBudgetPercent);
}

TEST(RetryBudget, OldSecondsLeaveTheWindowOneByOne) {
  RetryBudget budget;
  for (uint64_t s = 0; s < limits::kRetryWindowSeconds; ++s) {
    for (int i = 0; i < 100; ++i) budget.count_request(kStart + s * kSecond);
  }
  const uint64_t late = kStart + kWindow + 4 * kSecond;  // seconds 0 to 4 are gone
  EXPECT_EQ(taken(budget, late), 5 * limits::kRetryBudgetPercent);
}

TEST(RetryBudget, ALongSilenceForgetsEverything) {
  RetryBudget budget;
  for (int i = 0; i < 1000; ++i) budget.count_request(kStart);
  EXPECT_EQ(taken(budget, kStart + 1'000 * kWindow + 3 * kSecond), limits::kRetryBudgetMin);
}

}  // namespace kg::upstream::retry_budget_test
