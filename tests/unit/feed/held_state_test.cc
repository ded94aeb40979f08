#include "routing/feed/held_state.h"

#include "tests/unit/feed/feed_items.h"

namespace kg::feed::held_state_test {

Digest digest_of(const std::vector<Item>& items) {
  StateDigest digest;
  for (const Item& one : items) digest.add(ItemMark(one));
  return digest.value();
}

class HeldStateTest : public testing::Test {
 protected:
  HeldStateTest() {
    EXPECT_EQ(state.stage(whole({1, 1}, {*a, *b})), Staged::kReady);
    state.accept();
  }
  static Update whole(Version to, std::vector<Item> items) {
    const Digest digest = digest_of(items);
    return {kSchema, std::nullopt, to, 0, digest, std::move(items), {}};
  }
  static Update delta(Version from, Version to, std::vector<Item> items,
                      std::vector<std::string> deletes, const std::vector<Item>& then) {
    return {kSchema, from, to, 0, digest_of(then), std::move(items), std::move(deletes)};
  }
  const std::shared_ptr<const Item> a = item("a", "1");
  const std::shared_ptr<const Item> b = item("b", "1");
  const std::shared_ptr<const Item> c = item("c", "1");
  HeldState state;
};

TEST_F(HeldStateTest, ADeltaIsTakenIfItFollows) {
  EXPECT_EQ(state.stage(delta({1, 1}, {1, 2}, {*c}, {"b"}, {*a, *c})), Staged::kReady);
  EXPECT_EQ(state.version(), (Version{1, 1})) << "not before it is accepted";
  state.accept();
  EXPECT_EQ(state.version(), (Version{1, 2}));
  EXPECT_EQ(state.items(), 2U);
  EXPECT_EQ(state.digest(), digest_of({*c, *a})) << "in whatever order";
}

TEST_F(HeldStateTest, WhatDoesNotFollowOrIsOlderIsNotTaken) {
  EXPECT_EQ(state.stage(delta({1, 0}, {1, 2}, {*c}, {}, {*a, *b, *c})), Staged::kGap);
  EXPECT_EQ(state.stage(delta({1, 2}, {1, 3}, {*c}, {}, {*a, *b, *c})), Staged::kGap);
  EXPECT_EQ(state.stage(delta({1, 0}, {1, 1}, {*c}, {}, {*a, *b, *c})), Staged::kOlder);
  EXPECT_EQ(state.stage(whole({1, 0}, {*c})), Staged::kOlder);
  EXPECT_EQ(state.stage(whole({0, 99}, {*c})), Staged::kOlder);
  EXPECT_EQ(state.items(), 2U);
}

TEST_F(HeldStateTest, AnotherDigestThanWhatComesOutIsNotTaken) {
  EXPECT_EQ(state.stage(delta({1, 1}, {1, 2}, {*c}, {}, {*a, *c})), Staged::kDiverged);
  state.discard();
  EXPECT_EQ(state.stage(delta({1, 1}, {1, 2}, {*c, *c}, {}, {*a, *b, *c})), Staged::kDiverged);
  state.discard();
  EXPECT_EQ(state.stage(delta({1, 1}, {1, 2}, {*c}, {"c"}, {*a, *b, *c})), Staged::kDiverged);
}

TEST_F(HeldStateTest, TheSameVersionIsTakenAsAWholeBecauseScopesChange) {
  EXPECT_EQ(state.stage(whole({1, 1}, {*c})), Staged::kReady);
  state.accept();
  EXPECT_EQ(state.digest(), digest_of({*c}));
}

TEST_F(HeldStateTest, PartsComeInOrderAndOfOneUpdate) {
  Update first = whole({1, 2}, {*a, *c});
  Update second = first;
  const auto digest = std::exchange(first.digest, std::nullopt);
  first.upserts = {*a};
  second.upserts = {*c};
  second.part = 1;
  EXPECT_EQ(state.stage(second), Staged::kGap) << "without the first";
  EXPECT_EQ(state.stage(first), Staged::kMore);
  Update other = second;
  other.to = {1, 3};
  EXPECT_EQ(state.stage(other), Staged::kGap);
  Update third = second;
  third.part = 2;
  EXPECT_EQ(state.stage(third), Staged::kGap);
  EXPECT_EQ(state.stage(first), Staged::kMore) << "it begins anew";
  EXPECT_EQ(state.stage(second), Staged::kReady);
  state.accept();
  EXPECT_EQ(state.digest(), *digest);
}

TEST(StateDigestTest, EveryPartOfAnItemCounts) {
  const Digest one = digest_of({*item("a", "1", "n", "e")});
  EXPECT_NE(one, digest_of({*item("b", "1", "n", "e")}));
  EXPECT_NE(one, digest_of({*item("a", "2", "n", "e")}));
  EXPECT_NE(one, digest_of({*item("a", "1", "m", "e")}));
  EXPECT_NE(one, digest_of({*item("a", "1", "n", "f")}));
  EXPECT_NE(digest_of({*item("ab", "1")}), digest_of({*item("a", "b1")})) << "nor where they end";
  StateDigest digest;
  digest.add(ItemMark(*item("a", "1")));
  digest.add(ItemMark(*item("b", "1")));
  digest.remove(ItemMark(*item("a", "1")));
  EXPECT_EQ(digest.value(), digest_of({*item("b", "1")}));
}

}  // namespace kg::feed::held_state_test
