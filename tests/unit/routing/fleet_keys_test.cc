#include "routing/fleet_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "proxy/kernel/kernel_id.h"
#include "proxy/tls/ticket_keys.h"
#include "routing/feed/keys.h"

namespace kg::routing::fleet_keys_test {

using kernel::KernelIdKeys;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

KeyTexts rotated(KeyKind kind, const KeyTexts& keys) {
  std::string problem;
  const auto out = rotated_keys(kind, keys, problem);
  EXPECT_TRUE(out.has_value()) << problem;
  return out.value_or(KeyTexts{});
}

std::string text_of(const KeyTexts& keys, std::string_view suffix = "") {
  const auto found = keys.find(suffix);
  return found == keys.end() ? "" : std::string(found->second.reveal());
}

std::vector<std::string> states_of(const KeyTexts& keys) {
  std::istringstream lines(text_of(keys));
  std::vector<std::string> out;
  for (std::string epoch, state, secret; lines >> epoch >> state >> secret;)
    out.push_back(epoch.append(" ").append(state));
  return out;
}

TEST(FleetKeys, AFeedKeyIsKnownBeforeItIsUsed) {
  const KeyTexts made = new_keys(KeyKind::kFeed);
  EXPECT_TRUE(feed::is_key(public_key_of(made)));
  EXPECT_THAT(next_public_key_of(made), IsEmpty());
  const KeyTexts first = rotated(KeyKind::kFeed, made);
  EXPECT_EQ(text_of(first), text_of(made)) << "nobody knows another one yet";
  const std::string next = next_public_key_of(first);
  EXPECT_TRUE(feed::is_key(next));
  const KeyTexts second = rotated(KeyKind::kFeed, first);
  EXPECT_EQ(public_key_of(second), next);
  EXPECT_EQ(text_of(second), text_of(first, ".next"));
  EXPECT_NE(next_public_key_of(second), next);
}

TEST(FleetKeys, KernelIdsOfTheLastTwoKeysStillCount) {
  KeyTexts keys = new_keys(KeyKind::kKernelIds);
  const std::vector<std::vector<std::string>> expected{
      {"1 next", "0 current"},
      {"2 next", "1 current", "0 previous"},
      {"3 next", "2 current", "1 previous", "0 previous"},
      {"4 next", "3 current", "2 previous", "1 previous"}};
  const auto id = [](const KeyTexts& by) {
    std::string problem;
    return KernelIdKeys::parse(text_of(by), problem)
        ->mint("ep", {kernel::Scope::Kind::kEndpoint, "", ""}, 1, 2);
  };
  const std::string oldest = id(keys);
  for (const auto& states : expected) {
    keys = rotated(KeyKind::kKernelIds, keys);
    EXPECT_EQ(states_of(keys), states);
    std::string problem;
    const auto read = KernelIdKeys::parse(text_of(keys), problem);
    ASSERT_NE(read, nullptr) << problem;
    EXPECT_EQ(read->is_minted("ep", *kernel::parse_kernel_id(oldest)), &states != &expected.back());
  }
  for (int i = 0; i < 5; ++i) keys = rotated(KeyKind::kKernelIds, keys);
  EXPECT_EQ(states_of(keys).front(), "1 next") << "epochs come again as late as can be";
}

TEST(FleetKeys, TheTicketKeyBeforeStillOpens) {
  const KeyTexts made = new_keys(KeyKind::kTickets);
  const KeyTexts first = rotated(KeyKind::kTickets, made);
  const KeyTexts second = rotated(KeyKind::kTickets, first);
  std::string problem;
  ASSERT_NE(tls::TicketKeys::parse(text_of(second), problem), nullptr) << problem;
  EXPECT_TRUE(text_of(first).ends_with(text_of(made)));
  EXPECT_THAT(text_of(second), Not(HasSubstr(text_of(made))));
  EXPECT_TRUE(text_of(second).ends_with(text_of(first).substr(0, text_of(made).size())));
}

TEST(FleetKeys, WhatIsNoneOfTheKindIsRefusedWithoutShowingIt) {
  for (const KeyKind kind : {KeyKind::kFeed, KeyKind::kKernelIds, KeyKind::kTickets}) {
    EXPECT_EQ(key_kind_named(key_kind_name(kind)), kind);
    for (const KeyKind other : {KeyKind::kFeed, KeyKind::kKernelIds, KeyKind::kTickets}) {
      if (other == kind) continue;
      const KeyTexts wrong = new_keys(other);
      std::string problem;
      EXPECT_FALSE(rotated_keys(kind, wrong, problem).has_value());
      EXPECT_THAT(problem, Not(IsEmpty()));
      EXPECT_THAT(problem, Not(HasSubstr(text_of(wrong).substr(0, 20))));
    }
    std::string problem;
    EXPECT_FALSE(rotated_keys(kind, {}, problem).has_value());
  }
  EXPECT_FALSE(key_kind_named("curve").has_value());
}

}  // namespace kg::routing::fleet_keys_test
