#include "routing/known_kernels.h"

#include <gtest/gtest.h>

namespace kg::routing {
namespace {

std::shared_ptr<const kernel::KernelList> list(const std::string& body) {
  return std::make_shared<const kernel::KernelList>(kernel::KernelList::read(body).value());
}

TEST(KnownKernels, KeepsTheYoungestThatCounted) {
  KnownKernels known;
  EXPECT_EQ(known.get().list, nullptr);
  const auto first = list("[]");
  const auto second = list(R"([{"id":"a-b-c-d-e"}])");
  known.learn(second, 20, 1);
  known.learn(first, 10, 1);
  EXPECT_EQ(known.get().list, second) << "asked for earlier";
  known.learn(first, 30, 0);
  EXPECT_EQ(known.get().list, second) << "from before a restart";
  known.learn(first, 30, 2);
  EXPECT_EQ(known.get().list, first);
  EXPECT_EQ(known.get().restarts, 2U);
}

TEST(KnownKernels, IsRehomedUntilItIsListedAgain) {
  KnownKernels known;
  known.learn(list("[]"), 10, 1);
  EXPECT_FALSE(known.get().rehomed);
  known.set_rehomed();
  EXPECT_TRUE(known.get().rehomed);
  known.learn(list("[]"), 20, 2);
  EXPECT_FALSE(known.get().rehomed);
}

}  // namespace
}  // namespace kg::routing
