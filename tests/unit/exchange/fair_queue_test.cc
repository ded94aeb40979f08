#include "proxy/exchange/fair_queue.h"

#include <gmock/gmock.h>

#include <vector>

namespace kg::exchange::fair_queue_test {

using testing::ElementsAre;

constexpr uint64_t kAlice = 1;
constexpr uint64_t kBob = 2;
constexpr uint64_t kCarol = 3;

std::vector<uint64_t> all(FairQueue& queue) {
  std::vector<uint64_t> served;
  while (const auto item = queue.pop()) served.push_back(*item);
  return served;
}

TEST(FairQueue, ServesPrincipalsInTurn) {
  FairQueue queue;
  for (const uint64_t item : {10U, 11U, 12U, 13U}) queue.push(kAlice, item);
  for (const uint64_t item : {20U, 21U}) queue.push(kBob, item);
  queue.push(kCarol, 30);
  EXPECT_EQ(queue.size(), 7U);
  EXPECT_THAT(all(queue), ElementsAre(10, 20, 30, 11, 21, 12, 13));
  EXPECT_TRUE(queue.empty());
}

TEST(FairQueue, ANewcomerWaitsForOneOfEachOther) {
  FairQueue queue;
  for (uint64_t item = 100; item < 200; ++item) queue.push(kAlice, item);
  EXPECT_EQ(queue.pop(), 100U);
  queue.push(kBob, 1);
  EXPECT_EQ(queue.pop(), 101U);
  EXPECT_EQ(queue.pop(), 1U);
}

TEST(FairQueue, WhoComesBackHasNoRightOfOldTurns) {
  FairQueue queue;
  queue.push(kAlice, 10);
  queue.push(kBob, 20);
  queue.push(kBob, 21);
  EXPECT_EQ(queue.pop(), 10U);
  queue.push(kAlice, 11);
  EXPECT_THAT(all(queue), ElementsAre(20, 11, 21));
}

TEST(FairQueue, WhoLeavesIsNotServed) {
  FairQueue queue;
  queue.push(kAlice, 10);
  queue.push(kAlice, 11);
  queue.push(kBob, 20);
  EXPECT_TRUE(queue.remove(10));
  EXPECT_FALSE(queue.remove(10));
  EXPECT_TRUE(queue.remove(20));
  EXPECT_EQ(queue.size(), 1U);
  queue.push(kBob, 20);
  EXPECT_THAT(all(queue), ElementsAre(11, 20));
  EXPECT_FALSE(queue.remove(11));
}

}  // namespace kg::exchange::fair_queue_test
