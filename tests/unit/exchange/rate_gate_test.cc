#include "proxy/exchange/rate_gate.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

#include "proxy/exchange/held_counts.h"

namespace kg::exchange::rate_gate_test {

constexpr uint64_t kStart = 5'000'000;
constexpr uint64_t kKey = 0x1234'5678'9abc'def0;

TEST(RateGate, ABurstPassesAndThenTheRate) {
  RateGate gate;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(gate.pass(kKey, 10, 5, kStart), 0U) << i;
  EXPECT_EQ(gate.pass(kKey, 10, 5, kStart), 100'000U) << "the next one is due in a tenth";
  EXPECT_EQ(gate.pass(kKey, 10, 5, kStart + 99'999), 1U);
  EXPECT_EQ(gate.pass(kKey, 10, 5, kStart + 100'000), 0U);
  EXPECT_EQ(gate.pass(kKey, 10, 5, kStart + 100'000), 100'000U) << "a refusal costs nothing";
}

TEST(RateGate, APauseGivesTheBurstBackAndNoMore) {
  RateGate gate;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(gate.pass(kKey, 10, 3, kStart), 0U);
  const uint64_t later = kStart + 3'600'000'000;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(gate.pass(kKey, 10, 3, later), 0U);
  EXPECT_NE(gate.pass(kKey, 10, 3, later), 0U);
}

TEST(RateGate, KeysDoNotTakeFromEachOther) {
  RateGate gate;
  const SecretMix mix;
  constexpr uint32_t kKeys = 2'000;
  std::vector<uint64_t> keys;
  for (uint64_t i = 0; i < kKeys; ++i) keys.push_back(mix.of(i, 0));
  for (const uint64_t key : keys) EXPECT_EQ(gate.pass(key, 1, 1, kStart), 0U);
  uint32_t refused = 0;
  for (const uint64_t key : keys) refused += gate.pass(key, 1, 1, kStart) != 0 ? 1U : 0U;
  EXPECT_GE(refused, kKeys - 2) << "all but a bucket that overflowed by chance";
}

TEST(RateGate, AFullBucketLetsNewcomersPass) {
  RateGate gate;
  constexpr uint64_t kTagStep = uint64_t{1} << 48;  // equal buckets, other tags
  for (uint64_t i = 0; i < 8; ++i) EXPECT_EQ(gate.pass(7 + i * kTagStep, 1, 1, kStart), 0U);
  EXPECT_EQ(gate.pass(7 + 8 * kTagStep, 1, 1, kStart), 0U);
  EXPECT_EQ(gate.pass(7 + 8 * kTagStep, 1, 1, kStart), 0U) << "uncounted";
  EXPECT_NE(gate.pass(7, 1, 1, kStart), 0U) << "the others are still held to theirs";
  EXPECT_EQ(gate.pass(7 + 8 * kTagStep, 1, 1, kStart + 1'000'000), 0U) << "free by now";
  EXPECT_NE(gate.pass(7 + 8 * kTagStep, 1, 1, kStart + 1'000'000), 0U);
}

// Whatever the arrivals, no window of any length has more than its rate and one burst.
TEST(RateGate, NoWindowHasMoreThanRateAndBurst) {
  constexpr uint32_t kRate = 50, kBurst = 7;
  std::minstd_rand chance(1);
  RateGate gate;
  std::vector<uint64_t> passed;
  uint64_t now = kStart;
  for (int i = 0; i < 20'000; ++i) {
    now += chance() % 12'000;
    if (gate.pass(kKey, kRate, kBurst, now) == 0) passed.push_back(now);
  }
  ASSERT_GT(passed.size(), 1'000U);
  for (size_t from = 0; from < passed.size(); from += 97) {
    for (size_t to = from; to < passed.size() && to < from + 500; ++to) {
      const uint64_t window_us = passed[to] - passed[from];
      ASSERT_LE(to - from + 1, window_us * kRate / 1'000'000 + kBurst) << window_us;
    }
  }
}

TEST(RateGate, ThreadsTogetherPassNoMore) {
  RateGate gate;
  EXPECT_EQ(gate.pass(kKey, 10, 1'000, kStart), 0U);  // one slot from the start
  std::atomic<uint32_t> passed{1};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5'000; ++round) {
        if (gate.pass(kKey, 10, 1'000, kStart) == 0) passed.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed.load(), 1'000U);
}

}  // namespace kg::exchange::rate_gate_test
