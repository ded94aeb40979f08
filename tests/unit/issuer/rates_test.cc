#include "routing/controller/issuer/rates.h"

#include <gtest/gtest.h>

#include <string>

#include "routing/controller/issuer/limits.h"
#include "routing/controller/issuer/replays.h"

namespace kg::issuer::rates_test {

constexpr uint64_t kNow = 1'000'000'000;

TEST(Rates, AllowAMinutesWorthAtOnceAndThenEvenly) {
  Rates rates(60);
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(rates.wait_us("a", kNow), 0U) << i;
    rates.count("a", kNow);
  }
  EXPECT_EQ(rates.wait_us("a", kNow), 1'000'000U);
  EXPECT_EQ(rates.wait_us("b", kNow), 0U);
  EXPECT_EQ(rates.wait_us("a", kNow + 999'999), 1U);
  EXPECT_EQ(rates.wait_us("a", kNow + 1'000'000), 0U);
}

TEST(Rates, StrangersAreCountedByWhatOneClientIsGiven) {
  const auto network = [](const char* host) {
    return network_of(*event::SocketAddress::parse(host, 1));
  };
  EXPECT_EQ(network("2001:db8::1"), network("2001:db8::ffff:ffff:ffff:ffff"));
  EXPECT_NE(network("2001:db8::1"), network("2001:db8:0:1::1"));
  EXPECT_EQ(network("::ffff:10.0.0.1"), "10.0.0.1");
  EXPECT_NE(network("10.0.0.1"), network("10.0.0.2"));
}

TEST(Rates, MemoryIsBoundedAndIdleKeysMakeRoom) {
  Rates rates(60);
  for (size_t i = 0; i < kRatesMax; ++i) rates.count(std::to_string(i), kNow);
  EXPECT_GT(rates.wait_us("one more", kNow), 0U);
  EXPECT_EQ(rates.wait_us("7", kNow), 0U);
  EXPECT_EQ(rates.wait_us("one more", kNow + 1'000'000), 0U);
}

TEST(Replays, RememberUntilTheEndOfTheSessionAndSoMany) {
  Replays replays;
  const auto key = [](size_t i) {
    Wish wish;
    wish.client_token = std::to_string(i);
    return Replays::key_of("alice", {"a", "b"}, wish);
  };
  for (size_t i = 0; i < kReplaysMax; ++i) replays.remember(key(i), {{}, "id", 100, 10});
  ASSERT_NE(replays.find(key(0), 109), nullptr);
  EXPECT_EQ(replays.find(key(0), 109)->token_id, "id");
  EXPECT_EQ(replays.find(key(0), 110), nullptr);
  replays.remember(key(1), {{}, "again", 110, 10});
  replays.remember(key(kReplaysMax), {{}, "id", 100, 10});
  EXPECT_EQ(replays.find(key(0), 100), nullptr);
  EXPECT_EQ(replays.find(key(1), 115)->token_id, "again");
}

TEST(Replays, TellCallersPlacesAndWishesApart) {
  Wish wish;
  wish.client_token = "t";
  EXPECT_NE(Replays::key_of("alice", {"a", "b"}, wish), Replays::key_of("bob", {"a", "b"}, wish));
  EXPECT_NE(Replays::key_of("alice", {"a", "b"}, wish), Replays::key_of("alice", {"a", "c"}, wish));
  Wish other = wish;
  other.groups = {"g"};
  EXPECT_NE(Replays::digest_of(wish), Replays::digest_of(other));
  EXPECT_EQ(Replays::key_of("a", {"a", "b"}, wish), Replays::key_of("a", {"a", "b"}, other));
}

}  // namespace kg::issuer::rates_test
