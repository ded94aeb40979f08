// How much each namespace takes, and who has no place.
#include "routing/controller/ingress/shares.h"

#include <gmock/gmock.h>

#include <random>

namespace kg::ingress::shares_test {

using testing::ElementsAre;
using testing::IsEmpty;
using Verdict = Shares::Verdict;

ObjectRef of(const std::string& space, const std::string& name) {
  return {Kind::kIngress, {space, name}};
}

class Setting {
 public:
  explicit Setting(ShareBounds bounds) : shares(bounds) {}
  // Names of those whose verdict changes.
  std::vector<std::string> set(const ObjectRef& who, const std::string& created, Amount wanted) {
    std::set<ObjectRef> changed;
    shares.set(who, created, wanted);
    shares.settle(changed);
    std::vector<std::string> out;
    for (const ObjectRef& ref : changed) out.push_back(ref.name.text());
    return out;
  }
  Shares shares;
};

constexpr Amount kLots{1'000, 1'000};

TEST(Shares, TheOldestOfANamespaceKeepsItsPlace) {
  Setting setting({{3, 100}, kLots});
  EXPECT_THAT(setting.set(of("a", "young"), "3", {1, 10}), IsEmpty());
  EXPECT_THAT(setting.set(of("a", "middle"), "2", {1, 10}), IsEmpty());
  EXPECT_THAT(setting.set(of("b", "other"), "9", {3, 100}), IsEmpty());
  EXPECT_THAT(setting.set(of("a", "old"), "1", {2, 10}), ElementsAre("a/young"));
  EXPECT_EQ(setting.shares.verdict(of("a", "young")), Verdict::kNamespaceFull);
  EXPECT_EQ(setting.shares.verdict(of("b", "other")), Verdict::kServed);
  EXPECT_EQ(setting.shares.left_out(), 1U);
  // Too many bytes are as bad; what still fits behind is served.
  EXPECT_THAT(setting.set(of("a", "old"), "1", {1, 95}), ElementsAre("a/middle"));
  EXPECT_THAT(setting.set(of("a", "young"), "3", {1, 5}), ElementsAre("a/young"));
  EXPECT_THAT(setting.set(of("a", "old"), "1", {}), ElementsAre("a/middle"));
  EXPECT_EQ(setting.shares.left_out(), 0U);
}

TEST(Shares, WhoWantsLittleLosesNothingToThoseWhoWantMuch) {
  Setting setting({{60, 1'000}, {100, 1'000}});
  for (int i = 0; i < 60; ++i) setting.set(of("greedy", std::to_string(i)), "0", {1, 1});
  EXPECT_EQ(setting.shares.left_out(), 0U);
  EXPECT_THAT(setting.set(of("small", "x"), "9", {10, 1}), IsEmpty());
  for (int i = 0; i < 60; ++i) setting.set(of("hungry", std::to_string(i)), "1", {1, 1});
  // 100 without the small one's 10, in halves.
  EXPECT_EQ(setting.shares.verdict(of("small", "x")), Verdict::kServed);
  EXPECT_EQ(setting.shares.left_out(), 30U);
  EXPECT_EQ(setting.shares.verdict(of("greedy", "9")), Verdict::kAllFull);
  setting.set(of("small", "x"), "9", {});
  EXPECT_EQ(setting.shares.left_out(), 20U);
}

TEST(Shares, DoNotDependOnTheOrderOfEvents) {
  std::mt19937 random(3);
  std::vector<std::pair<ObjectRef, Amount>> wanted;
  for (int i = 0; i < 60; ++i) {
    wanted.emplace_back(of(std::string(1, static_cast<char>('a' + i % 4)), std::to_string(i)),
                        Amount{1 + random() % 3, random() % 50});
  }
  std::vector<Verdict> first;
  for (int round = 0; round < 10; ++round) {
    Setting setting({{30, 400}, {70, 1'200}});
    std::vector<std::pair<ObjectRef, Amount>> order = wanted;
    std::ranges::shuffle(order, random);
    std::set<ObjectRef> changed;
    for (const auto& [ref, amount] : order) {
      setting.shares.set(ref, "", {amount.items + 1, 1});
      if (random() % 3 == 0) setting.shares.settle(changed);
    }
    for (const auto& [ref, amount] : order) {
      setting.shares.set(ref, "", amount);
      if (random() % 5 == 0) setting.shares.settle(changed);
    }
    setting.shares.settle(changed);
    std::vector<Verdict> verdicts;
    for (const auto& [ref, amount] : wanted) verdicts.push_back(setting.shares.verdict(ref));
    if (round == 0) first = verdicts;
    ASSERT_EQ(verdicts, first);
  }
  EXPECT_THAT(first, testing::Contains(Verdict::kServed));
  EXPECT_THAT(first, testing::Contains(Verdict::kAllFull));
}

// What is beyond the bound at the first look is known at once, and costs no look at the others.
TEST(Shares, OldestFirstTheyAreJudgedAsTheyCome) {
  Shares shares({{3, 100}, kLots});
  std::set<ObjectRef> changed;
  for (const char* age : {"1", "2", "3", "4", "5"}) shares.set(of("a", age), age, {1, 1});
  EXPECT_EQ(shares.verdict(of("a", "3")), Verdict::kServed);
  EXPECT_EQ(shares.verdict(of("a", "4")), Verdict::kNamespaceFull);
  shares.settle(changed);
  EXPECT_THAT(changed, IsEmpty());
  EXPECT_EQ(shares.left_out(), 2U);
}

}  // namespace kg::ingress::shares_test
