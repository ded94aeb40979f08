#include "routing/known_kernels.h"

#include <gtest/gtest.h>

namespace kg::routing::known_kernels_test {

PodListRef list(uint64_t asked_us, uint64_t restarts) {
  return std::make_shared<const PodList>(
      PodList{kernel::KernelList::read("[]").value(), 1, 1, asked_us, 0, restarts});
}

TEST(KnownKernels, KeepsTheYoungestThatCounted) {
  KnownKernels known;
  EXPECT_EQ(known.get().list, nullptr);
  const PodListRef second = list(20, 1);
  known.learn(second);
  known.learn(list(10, 1));
  EXPECT_EQ(known.get().list, second) << "asked for earlier";
  known.learn(list(30, 0));
  EXPECT_EQ(known.get().list, second) << "from before a restart";
  const PodListRef third = list(30, 2);
  known.learn(third);
  EXPECT_EQ(known.get().list, third);
}

TEST(KnownKernels, IsRehomedUntilItIsListedAgain) {
  KnownKernels known;
  known.learn(list(10, 1));
  EXPECT_EQ(known.get().rehomed_us, 0U);
  known.set_rehomed(15);
  EXPECT_EQ(known.get().rehomed_us, 15U);
  known.learn(list(20, 2));
  EXPECT_EQ(known.get().rehomed_us, 0U);
}

}  // namespace kg::routing::known_kernels_test
