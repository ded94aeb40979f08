#include "proxy/fetch/freshness.h"

#include <gtest/gtest.h>

namespace kg::fetch::freshness_test {

TEST(Freshness, IsMaxAgeLessTheAge) {
  EXPECT_EQ(seconds_fresh({"public, max-age=3600, must-revalidate"}, {}), 3'600U);
  EXPECT_EQ(seconds_fresh({"MAX-AGE=60"}, {"20"}), 40U);
  EXPECT_EQ(seconds_fresh({"max-age=\"60\""}, {}), 60U);
  EXPECT_EQ(seconds_fresh({"max-age=60"}, {"61"}), 0U);
  EXPECT_EQ(seconds_fresh({"max-age=60"}, {"soon"}), 60U);
}

TEST(Freshness, TheShortestOfSeveralCounts) {
  EXPECT_EQ(seconds_fresh({"max-age=60", "max-age=30"}, {"1", "5"}), 25U);
  EXPECT_EQ(seconds_fresh({"max-age=60, no-cache"}, {}), 0U);
  EXPECT_EQ(seconds_fresh({"no-store"}, {}), 0U);
}

TEST(Freshness, NothingReadableSaysNothing) {
  EXPECT_EQ(seconds_fresh({}, {}), std::nullopt);
  EXPECT_EQ(seconds_fresh({"public"}, {"5"}), std::nullopt);
  EXPECT_EQ(seconds_fresh({"max-age=", "max-age=x", "max-age=-1", "max-age =5"}, {}), std::nullopt);
}

TEST(Freshness, AbsurdNumbersStayInBounds) {
  EXPECT_EQ(seconds_fresh({"max-age=99999999999999999999999999"}, {}), 2'147'483'648U);
  EXPECT_EQ(seconds_fresh({"max-age=4294967297"}, {}), 2'147'483'648U);
  EXPECT_EQ(seconds_fresh({"max-age=60"}, {"99999999999999999999999999"}), 0U);
}

}  // namespace kg::fetch::freshness_test
