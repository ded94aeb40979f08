#include "metrics/endpoint_slots.h"

#include <gtest/gtest.h>

namespace kg::metrics::endpoint_slots_test {

TEST(EndpointSlots, FirstOnesGetTheirOwnTheRestShareOther) {
  EndpointSlots slots(2);
  EXPECT_EQ(slots.capacity(), 3u);
  EXPECT_EQ(slots.slot_for("team-a", "one"), 1u);
  EXPECT_EQ(slots.slot_for("team-b", "one"), 2u);
  EXPECT_EQ(slots.slot_for("team-a", "two"), 0u);
  EXPECT_EQ(slots.slot_for("team-a", "three"), 0u);
  EXPECT_EQ(slots.slot_for("team-a", "one"), 1u);
  const auto names = slots.names();
  ASSERT_EQ(names.size(), 3u);
  EXPECT_EQ(names[0].endpoint, "other");
  EXPECT_EQ(names[0].virtual_cluster, "other");
  EXPECT_EQ(names[2].endpoint, "one");
  EXPECT_EQ(names[2].virtual_cluster, "team-b");
}

TEST(EndpointSlots, NoneAllowed) {
  EndpointSlots slots(0);
  EXPECT_EQ(slots.slot_for("team-a", "one"), 0u);
  EXPECT_EQ(slots.names().size(), 1u);
}

TEST(EndpointSlots, AnEndpointCalledOtherMakesNoSecondSeries) {
  EndpointSlots slots(5);
  EXPECT_EQ(slots.slot_for("other", "other"), 0u);
  EXPECT_EQ(slots.slot_for("team-a", "other"), 1u);
}

}  // namespace kg::metrics::endpoint_slots_test
