#include "routing/balancer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <vector>

namespace kg::routing::balancer_test {

PodLoad open(uint64_t kernels, uint64_t launches = 0) { return {true, false, kernels, launches}; }
constexpr PodLoad kShut{};

TEST(Balancer, TakesNoPodThatIsShut) {
  EXPECT_EQ(choose_pod({}, 7), std::nullopt);
  const std::vector<PodLoad> none{kShut, kShut};
  EXPECT_EQ(choose_pod(none, 7), std::nullopt);
  const std::vector<PodLoad> one{kShut, open(1'000), kShut};
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(choose_pod(one, random()), 1U);
}

TEST(Balancer, OfTwoTakesTheLessLoaded) {
  std::mt19937_64 random(2);
  const std::vector<PodLoad> by_kernels{open(5), kShut, open(4)};
  const std::vector<PodLoad> by_launches{open(2, 2), kShut, open(4, 1)};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(choose_pod(by_kernels, random()), 2U);
    EXPECT_EQ(choose_pod(by_launches, random()), 0U);
  }
}

TEST(Balancer, NeverTakesTheMostLoadedOfMany) {
  std::mt19937_64 random(3);
  const std::vector<PodLoad> pods{open(3), open(9), open(2), open(1)};
  for (int i = 0; i < 1'000; ++i) EXPECT_NE(choose_pod(pods, random()), 1U);
}

TEST(Balancer, SpreadsStartsEvenly) {
  std::mt19937_64 random(4);
  std::vector<PodLoad> pods(8, open(0));
  for (int i = 0; i < 800; ++i) ++pods[*choose_pod(pods, random())].launches;
  for (const PodLoad& pod : pods) {
    EXPECT_GE(pod.launches, 96U);
    EXPECT_LE(pod.launches, 104U);
  }
}

TEST(Balancer, AnEqualLoadIsChosenByChance) {
  std::mt19937_64 random(5);
  const std::vector<PodLoad> pods{open(1), open(1), open(1)};
  std::vector<int> chosen(3);
  for (int i = 0; i < 3'000; ++i) ++chosen[*choose_pod(pods, random())];
  for (const int count : chosen) EXPECT_GT(count, 800);
}

TEST(Balancer, WhoIsToBeAvoidedIsTheLastResort) {
  std::mt19937_64 random(6);
  std::vector<PodLoad> pods{open(90), open(0), open(80)};
  pods[1].avoid = true;
  for (int i = 0; i < 100; ++i) EXPECT_NE(choose_pod(pods, random()), 1U);
  pods[0].open = pods[2].open = false;
  EXPECT_EQ(choose_pod(pods, random()), 1U);
}

TEST(Balancer, ARepeatedStartComesToTheSamePod) {
  std::mt19937_64 random(7);
  const std::vector<uint32_t> tags{11, 22, 33};
  std::vector<PodLoad> pods{open(1), open(5), open(9)};
  std::vector<int> chosen(3);
  for (int i = 0; i < 3'000; ++i) {
    const uint64_t key = random();
    const auto pod = choose_pod_for(pods, tags, key);
    ++chosen[*pod];
    pods[*pod].kernels += 3;  // load does not matter
    EXPECT_EQ(choose_pod_for(pods, tags, key), pod);
    // Only those of a pod that went move.
    std::vector<PodLoad> fewer = pods;
    fewer[(*pod + 1) % 3].open = false;
    EXPECT_EQ(choose_pod_for(fewer, tags, key), pod);
    pods[*pod].avoid = true;
    EXPECT_NE(choose_pod_for(pods, tags, key), pod);
    pods[*pod].avoid = false;
  }
  for (const int count : chosen) EXPECT_GT(count, 800);
  EXPECT_EQ(choose_pod_for(std::vector<PodLoad>(3, kShut), tags, 1), std::nullopt);
}

}  // namespace kg::routing::balancer_test
