#include "proxy/exchange/orphaned_starts.h"

#include <gtest/gtest.h>

#include "proxy/base/limits.h"
#include "tests/unit/event/loop_support.h"

namespace kg::exchange {
namespace {

class OrphanedStartsTest : public testing::Test {
 protected:
  OrphanedStartsTest() { most_.launches = 2; }
  Quotas::Hold start() {
    auto hold = quotas_.launch(1, most_);
    EXPECT_TRUE(hold);
    return std::move(*hold);
  }
  bool may_start() { return quotas_.launch(1, most_).has_value(); }

  event::EventLoop loop_;
  Quotas quotas_;
  PrincipalQuotas most_;
  OrphanedStarts orphans_{loop_};
};

TEST_F(OrphanedStartsTest, CountUntilTheirTimeIsOver) {
  orphans_.keep(start(), 60'000);
  orphans_.keep(start(), 20);
  EXPECT_FALSE(may_start());
  ASSERT_TRUE(event::run_until(loop_, [&] { return orphans_.size() == 1; }));
  EXPECT_TRUE(may_start());
}

TEST_F(OrphanedStartsTest, WhatWasNotCountedIsNotKept) {
  orphans_.keep(Quotas::Hold(), 60'000);
  EXPECT_EQ(orphans_.size(), 0U);
}

TEST_F(OrphanedStartsTest, AreBounded) {
  most_.launches = limits::kOrphanedStartsMax + 1;
  for (uint32_t i = 0; i <= limits::kOrphanedStartsMax; ++i) orphans_.keep(start(), 60'000 + i);
  EXPECT_EQ(orphans_.size(), limits::kOrphanedStartsMax);
  EXPECT_TRUE(may_start()) << "the one that would have ended first";
}

}  // namespace
}  // namespace kg::exchange
