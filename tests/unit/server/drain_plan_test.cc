#include "proxy/server/drain_plan.h"

#include <gtest/gtest.h>

namespace kg::server::drain_plan_test {

constexpr uint64_t kSecond = 1'000'000;
constexpr uint64_t kBegin = 77 * kSecond;

struct Closed {
  size_t idle = 0;
  size_t busy = 0;
  double last_idle_s = 0;
  double first_busy_s = 0;
  double last_busy_s = 0;
  size_t most_at_once = 0;
};

// A whole drain in which no kernel changes its state.
Closed run(uint64_t deadline_ms, size_t idle, size_t busy) {
  DrainPlan plan(kBegin, deadline_ms, idle + busy);
  Closed out;
  uint64_t now = kBegin;
  while (!plan.over(now)) {
    const DrainPlan::Due due = plan.close(now, idle - out.idle, busy - out.busy);
    const double at = static_cast<double>(now - kBegin) / kSecond;
    if (due.idle > 0) out.last_idle_s = at;
    if (due.busy > 0 && out.busy == 0) out.first_busy_s = at;
    if (due.busy > 0) out.last_busy_s = at;
    out.idle += due.idle;
    out.busy += due.busy;
    out.most_at_once = std::max(out.most_at_once, due.idle + due.busy);
    now += plan.look_again_ms(now) * 1'000;
  }
  return out;
}

TEST(DrainPlanTest, IdleOnesGoFirstAndBusyOnesBeforeTheDeadline) {
  const Closed closed = run(600'000, 600, 400);
  EXPECT_EQ(closed.idle, 600U);
  EXPECT_EQ(closed.busy, 400U);
  EXPECT_LE(closed.last_idle_s, 30.1);
  EXPECT_GE(closed.first_busy_s, 580);
  EXPECT_LE(closed.last_busy_s, 596.1);
  EXPECT_GE(closed.last_busy_s - closed.first_busy_s, 9.5);
  EXPECT_LE(closed.most_at_once, 4U);
}

TEST(DrainPlanTest, ShortDrainsAreSpreadToo) {
  const Closed idle = run(2'000, 20, 0);
  EXPECT_EQ(idle.idle, 20U);
  EXPECT_NEAR(idle.last_idle_s, 0.95, 0.06);
  const Closed busy = run(2'000, 0, 20);
  EXPECT_EQ(busy.busy, 20U);
  EXPECT_NEAR(busy.first_busy_s, 1.0, 0.01);
  EXPECT_NEAR(busy.last_busy_s, 1.57, 0.06);
}

TEST(DrainPlanTest, WhoBecomesIdleLaterGoesThen) {
  DrainPlan plan(kBegin, 600'000, 10);
  EXPECT_EQ(plan.close(kBegin + 100 * kSecond, 0, 10).idle, 0U);
  const DrainPlan::Due due = plan.close(kBegin + 101 * kSecond, 3, 7);
  EXPECT_EQ(due.idle, 3U);
  EXPECT_EQ(due.busy, 0U);
  EXPECT_LE(plan.look_again_ms(kBegin + 101 * kSecond), 250U);
}

TEST(DrainPlanTest, NothingIsOpenOrNoTimeIsGiven) {
  EXPECT_EQ(run(1'000, 0, 0).most_at_once, 0U);
  DrainPlan plan(kBegin, 0, 5);
  EXPECT_TRUE(plan.over(kBegin));
  const DrainPlan::Due due = plan.close(kBegin, 3, 2);
  EXPECT_EQ(due.idle + due.busy, 5U);
}

}  // namespace kg::server::drain_plan_test
