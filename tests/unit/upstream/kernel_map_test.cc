#include "proxy/upstream/kernel_map.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/base/limits.h"

namespace kg::upstream::kernel_map_test {

TEST(KernelMap, KnowsWhereAKernelWasSeenLast) {
  KernelMap map(2);
  EXPECT_FALSE(map.find("a").has_value());
  map.saw("a", {1, 0});
  map.saw("b", {0, 3});
  map.saw("a", {0, 2});
  ASSERT_TRUE(map.find("a").has_value());
  EXPECT_EQ(map.find("a")->pod, 0U);
  EXPECT_EQ(map.find("a")->restarts, 2U);
  map.forget("a");
  map.forget("a");
  EXPECT_FALSE(map.find("a").has_value());
  EXPECT_EQ(map.find("b")->restarts, 3U);
}

TEST(KernelMap, HoldsNoMoreThanItsBound) {
  KernelMap map(1);
  for (size_t i = 0; i < limits::kKnownKernelsPerPod + 10; ++i) map.saw(std::to_string(i), {0, 0});
  EXPECT_EQ(map.size(), limits::kKnownKernelsPerPod);
  EXPECT_TRUE(map.find(std::to_string(limits::kKnownKernelsPerPod + 9)).has_value());
}

}  // namespace kg::upstream::kernel_map_test
