#include "auth/check_budget.h"

#include <gtest/gtest.h>

#include <string>

namespace kg::auth::check_budget_test {

constexpr uint64_t kStartUs = 1'000'000'000;
constexpr uint64_t kSecondUs = 1'000'000;

// Checks of `cost_us` that a client gets through at one moment, at most `most`.
int checks(CheckBudget& budget, std::string_view client, uint64_t now_us, uint64_t cost_us,
           int most = 100'000) {
  int count = 0;
  while (count < most && budget.allows(client, now_us)) {
    budget.spend(client, now_us, cost_us);
    ++count;
  }
  return count;
}

TEST(CheckBudget, ABurstThenARate) {
  CheckBudget budget;
  EXPECT_EQ(checks(budget, "192.0.2.1", kStartUs, 100), 200) << "20 ms";
  EXPECT_EQ(checks(budget, "192.0.2.1", kStartUs, 100), 0);
  EXPECT_EQ(checks(budget, "192.0.2.1", kStartUs + kSecondUs, 100), 8) << "0.8 ms";
  EXPECT_EQ(checks(budget, "192.0.2.1", kStartUs + 3'600 * kSecondUs, 100), 200) << "no more";
}

TEST(CheckBudget, TimeCountsNotTheNumberOfChecks) {
  CheckBudget budget;
  EXPECT_EQ(checks(budget, "192.0.2.1", kStartUs, 10'000), 2);
  EXPECT_EQ(checks(budget, "192.0.2.1", kStartUs + kSecondUs, 10'000), 1) << "into debt";
  EXPECT_EQ(checks(budget, "192.0.2.1", kStartUs + 12 * kSecondUs, 10'000), 0);
  EXPECT_EQ(checks(budget, "192.0.2.1", kStartUs + 13 * kSecondUs, 10'000), 1);
}

TEST(CheckBudget, WhoProvesSomethingSpendsNothing) {
  CheckBudget budget;
  for (int i = 0; i < 1'000'000; ++i) ASSERT_TRUE(budget.allows("192.0.2.1", kStartUs));
}

TEST(CheckBudget, AFloodFromOneAddressLeavesMostOthersAlone) {
  CheckBudget budget;
  checks(budget, "192.0.2.1", kStartUs, 100);
  int allowed = 0;
  for (int i = 0; i < 1'000; ++i) {
    if (budget.allows("198.51.100." + std::to_string(i), kStartUs)) ++allowed;
  }
  EXPECT_GT(allowed, 950) << "one in 256 shares its bucket";
}

TEST(CheckBudget, TogetherAllAddressesTakeAFifthOfAWorker) {
  CheckBudget budget;
  uint64_t spent_us = 0;
  for (int i = 0; i < 20'000; ++i) checks(budget, std::to_string(i), kStartUs, 100);
  for (int i = 0; i < 20'000; ++i) {
    spent_us +=
        100 * static_cast<uint64_t>(checks(budget, std::to_string(i), kStartUs + kSecondUs, 100));
  }
  EXPECT_GT(spent_us, 0U);
  EXPECT_LE(spent_us, kSecondUs / 4);
}

}  // namespace kg::auth::check_budget_test
