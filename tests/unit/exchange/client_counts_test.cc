#include "proxy/exchange/client_counts.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "proxy/event/address.h"

namespace kg::exchange::client_counts_test {

AddressBytes address(const std::string& text) {
  return event::SocketAddress::parse(text, 0)->bytes16();
}

AddressBytes numbered(uint32_t number) {
  AddressBytes bytes = address("10.0.0.0");
  bytes[13] = static_cast<unsigned char>(number >> 16);
  bytes[14] = static_cast<unsigned char>(number >> 8);
  bytes[15] = static_cast<unsigned char>(number);
  return bytes;
}

TEST(ClientCounts, AnAddressHoldsAtMostItsBound) {
  ClientCounts counts;
  const auto first = counts.take(address("192.0.2.1"), 2);
  auto second = counts.take(address("192.0.2.1"), 2);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(counts.take(address("192.0.2.1"), 2));
  EXPECT_TRUE(counts.take(address("192.0.2.2"), 2)) << "others are not concerned";
  second.reset();
  EXPECT_TRUE(counts.take(address("192.0.2.1"), 2)) << "what ended has its place back";
}

TEST(ClientCounts, AMovedHoldGivesBackOnce) {
  ClientCounts counts;
  ClientCounts::Hold kept;
  {
    auto taken = counts.take(address("192.0.2.1"), 1);
    ASSERT_TRUE(taken);
    kept = std::move(*taken);
  }
  EXPECT_FALSE(counts.take(address("192.0.2.1"), 1));
  kept = ClientCounts::Hold();
  EXPECT_TRUE(counts.take(address("192.0.2.1"), 1));
}

TEST(ClientCounts, Ipv6CountsByItsNetwork) {
  ClientCounts counts;
  const auto held = counts.take(address("2001:db8:1:2::1"), 1);
  EXPECT_FALSE(counts.take(address("2001:db8:1:2:ffff::9"), 1));
  EXPECT_TRUE(counts.take(address("2001:db8:1:3::1"), 1));
  const auto mapped = counts.take(address("::ffff:192.0.2.1"), 1);
  EXPECT_FALSE(counts.take(address("192.0.2.1"), 1)) << "one address in both forms";
  EXPECT_TRUE(counts.take(address("192.0.2.2"), 1));
}

TEST(ClientCounts, TwentyThousandAddressesAreToldApart) {
  ClientCounts counts;
  constexpr uint32_t kAddresses = 20'000;
  std::vector<ClientCounts::Hold> held;
  for (uint32_t i = 0; i < kAddresses; ++i) held.push_back(*counts.take(numbered(i), 1));
  uint32_t refused = 0;
  for (uint32_t i = 0; i < kAddresses; ++i) {
    if (!counts.take(numbered(i), 1)) ++refused;
  }
  EXPECT_GE(refused, kAddresses - 10);  // all but those whose slots are all taken
  held.clear();
  for (uint32_t i = 0; i < kAddresses; ++i) EXPECT_TRUE(counts.take(numbered(i), 1));
}

TEST(ClientCounts, AFullTableLetsNewcomersPass) {
  ClientCounts counts;
  std::vector<ClientCounts::Hold> held;
  for (uint32_t i = 0; i < 2 * ClientCounts::kClientSlots; ++i) {
    auto taken = counts.take(numbered(i), 1);
    ASSERT_TRUE(taken);
    held.push_back(std::move(*taken));
  }
}

TEST(ClientCounts, ThreadsNeverLoseACount) {
  ClientCounts counts;
  constexpr uint32_t kMost = 3;
  const auto anchor = counts.take(address("192.0.2.1"), kMost);  // one slot from the start
  std::atomic<uint32_t> now{1}, above{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        const auto hold = counts.take(address("192.0.2.1"), kMost);
        if (!hold) continue;
        if (now.fetch_add(1) >= kMost) above.fetch_add(1);
        now.fetch_sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(above.load(), 0U);
  const auto second = counts.take(address("192.0.2.1"), kMost);
  const auto third = counts.take(address("192.0.2.1"), kMost);
  EXPECT_TRUE(second && third);
  EXPECT_FALSE(counts.take(address("192.0.2.1"), kMost));
}

}  // namespace kg::exchange::client_counts_test
