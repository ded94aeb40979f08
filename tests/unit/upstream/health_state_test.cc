#include "proxy/upstream/health_state.h"

#include <gtest/gtest.h>

namespace kg::upstream::health_state_test {

// The state after each report: + or - for what a check said, H or U for what it makes of the pod.
std::string after(HealthState state, std::string_view reports) {
  std::string out;
  for (const char report : reports) {
    const bool before = state.healthy();
    const bool changed = state.report(report == '+');
    EXPECT_EQ(changed, before != state.healthy());
    out += state.healthy() ? 'H' : 'U';
  }
  return out;
}

TEST(HealthState, UnknownCountsAsHealthy) { EXPECT_TRUE(HealthState(3, 2, true).healthy()); }

TEST(HealthState, ChangesAfterSoManyInARow) {
  EXPECT_EQ(after({3, 2, true}, "+---++-+-+++"), "HHHUUHHHHHHH");
  EXPECT_EQ(after({3, 2, true}, "--+--+---"), "HHHHHHHHU");
  EXPECT_EQ(after({2, 3, true}, "--++-+++"), "HUUUUUUH");
}

TEST(HealthState, OneMayBeEnough) { EXPECT_EQ(after({1, 1, true}, "-+-+"), "UHUH"); }

TEST(HealthState, WhatIsKnownMayComeFromBefore) {
  EXPECT_EQ(after({2, 2, false}, "++"), "UH");
  EXPECT_EQ(after({2, 2, false}, "-++--"), "UUHHU");
}

}  // namespace kg::upstream::health_state_test
