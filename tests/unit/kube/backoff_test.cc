#include "routing/controller/kube/backoff.h"

#include <gtest/gtest.h>

namespace kg::kube::backoff_test {

constexpr uint32_t kMost = 0xffff'ffff;

TEST(Backoff, WaitsDoubleUpToTheBoundBetweenHalfAndAll) {
  Backoff low(100, 1'000);
  Backoff high(100, 1'000);
  for (const uint32_t step : {100U, 200U, 400U, 800U, 1'000U, 1'000U}) {
    EXPECT_EQ(low.next_ms(0), step / 2);
    EXPECT_EQ(high.next_ms(kMost), step - 1);
  }
  low.reset();
  EXPECT_TRUE(low.is_fresh());
  EXPECT_EQ(low.next_ms(0), 50U);
  EXPECT_FALSE(low.is_fresh());
}

TEST(Backoff, WhatTheServerAsksForCountsIfItIsLonger) {
  Backoff backoff(100, 1'000);
  EXPECT_EQ(backoff.next_ms(0, 4'000), 4'000U);
  EXPECT_EQ(backoff.next_ms(kMost, 4'000), 4'999U);
  EXPECT_EQ(backoff.next_ms(0, 10), 200U);
}

}  // namespace kg::kube::backoff_test
