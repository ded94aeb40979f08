#include "proxy/exchange/quotas.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace kg::exchange::quotas_test {

auth::Principal person(const char* realm, const char* subject) {
  auth::Principal who;
  who.realm = realm;
  who.subject = subject;
  return who;
}

TEST(Quotas, APersonIsRealmAndSubjectAtOneEndpoint) {
  const Quotas quotas;
  const auth::Principal alice = person("studio", "alice");
  EXPECT_EQ(quotas.key_of("a", alice), quotas.key_of("a", person("studio", "alice")));
  EXPECT_NE(quotas.key_of("a", alice), quotas.key_of("b", alice));
  EXPECT_NE(quotas.key_of("a", alice), quotas.key_of("a", person("hub", "alice")));
  EXPECT_NE(quotas.key_of("a", alice), quotas.key_of("a", person("studio", "bob")));
  EXPECT_NE(quotas.key_of("a", person("ab", "c")), quotas.key_of("a", person("a", "bc")));
  EXPECT_NE(quotas.key_of("a", person("12345678", "")), quotas.key_of("a", person("", "12345678")));
  EXPECT_NE(quotas.key_of("a", alice), Quotas().key_of("a", alice)) << "another process";
}

TEST(Quotas, WithoutQuotasNothingIsCounted) {
  Quotas quotas;
  PrincipalQuotas none;
  none.websockets = none.launches = none.kernels = none.requests_per_second = 0;
  std::vector<Quotas::Hold> held;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(quotas.request(1, none, 1'000), 0U);
    for (auto&& hold : {quotas.websocket(1, none), quotas.launch(1, none)}) ASSERT_TRUE(hold);
  }
  none.websockets = none.launches = 1;
  EXPECT_TRUE(quotas.websocket(1, none));
  EXPECT_TRUE(quotas.launch(1, none));
}

TEST(Quotas, WebSocketsAndStartsAreCountedApart) {
  Quotas quotas;
  PrincipalQuotas most;
  most.websockets = 2;
  most.launches = 1;
  auto first = quotas.websocket(1, most);
  auto second = quotas.websocket(1, most);
  auto start = quotas.launch(1, most);
  EXPECT_TRUE(first && second && start);
  EXPECT_FALSE(quotas.websocket(1, most));
  EXPECT_FALSE(quotas.launch(1, most));
  EXPECT_TRUE(quotas.websocket(2, most)) << "others are not concerned";
  first.reset();
  start.reset();
  EXPECT_TRUE(quotas.websocket(1, most));
  EXPECT_TRUE(quotas.launch(1, most));
}

TEST(Quotas, ARefusedRequestIsToldWholeSeconds) {
  Quotas quotas;
  PrincipalQuotas most;
  most.requests_per_second = 2;
  most.request_burst = 1;
  constexpr uint64_t kNow = 1'000'000;
  EXPECT_EQ(quotas.request(1, most, kNow), 0U);
  EXPECT_EQ(quotas.request(1, most, kNow), 1U);
  EXPECT_EQ(quotas.request(2, most, kNow), 0U);
  EXPECT_EQ(quotas.request(1, most, kNow + 500'000), 0U);
}

TEST(Quotas, StartsKnowHowManyAreAheadOfThem) {
  Quotas quotas;
  PrincipalQuotas most;
  most.launches = 0;
  most.kernels = 5;
  auto first = quotas.launch(1, most);
  auto second = quotas.launch(1, most);
  auto third = quotas.launch(1, most);
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(first->ahead(), 0U);
  EXPECT_EQ(second->ahead(), 1U);
  EXPECT_EQ(third->ahead(), 2U);
  first.reset();  // its kernel runs and is listed from now on
  EXPECT_EQ(second->ahead(), 1U) << "never less than there are";
  EXPECT_EQ(third->ahead(), 1U);
  second.reset();
  EXPECT_EQ(third->ahead(), 0U);
  EXPECT_EQ(Quotas::Hold().ahead(), 0U);
}

// However many start at one instant, exactly as many as fit have fewer than that ahead.
TEST(Quotas, OfStartsAtOneInstantTheQuotaIsLetThrough) {
  Quotas quotas;
  PrincipalQuotas most;
  most.launches = 0;
  most.kernels = 3;
  const auto anchor = quotas.launch(1, most);  // one slot from the start
  std::array<std::optional<Quotas::Hold>, 4> holds;
  std::vector<std::thread> threads;
  for (auto& hold : holds) {
    threads.emplace_back([&] { hold = quotas.launch(1, most); });
  }
  for (std::thread& thread : threads) thread.join();
  const auto fits = std::count_if(holds.begin(), holds.end(),
                                  [&](const auto& hold) { return hold->ahead() < most.kernels; });
  EXPECT_EQ(fits, 2) << "and the one that was first";
}

}  // namespace kg::exchange::quotas_test
