#include "routing/placement.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace kg::routing::placement_test {

using Step = Placement::Step;
constexpr const char* kId = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";

// Pods a, b and c with tags 10, 11 and 12.
std::vector<PodView> three() {
  return {{.name = "a", .tag = 10}, {.name = "b", .tag = 11}, {.name = "c", .tag = 12}};
}

std::vector<PodView> listed(Listed a, Listed b, Listed c) {
  std::vector<PodView> pods = three();
  pods[0].listed = a;
  pods[1].listed = b;
  pods[2].listed = c;
  return pods;
}

PlacementQuery minted(uint32_t tag, bool replication = false) {
  return {kId, tag, std::nullopt, replication};
}

PlacementQuery foreign(bool replication = false) {
  return {kId, std::nullopt, std::nullopt, replication};
}

TEST(Placement, AMintedIdGoesToThePodOfItsTag) {
  const auto pods = three();
  for (uint32_t i = 0; i < 3; ++i) {
    const Placement found = place(minted(10 + i), pods);
    EXPECT_EQ(found.step, Step::kGo);
    EXPECT_EQ(found.pod, i);
  }
}

TEST(Placement, WhatListsSayChangesNothingForAPodThatIsNotGone) {
  auto pods = listed(Listed::kHas, Listed::kHasNot, Listed::kFailed);
  pods[1].ready = false;  // cordoned, unhealthy, terminating: it keeps its own
  EXPECT_TRUE(place(minted(11), pods).is_at(1));
}

TEST(Placement, OfTwoPodsWithOneTagTheElderHoldsIt) {
  auto pods = three();
  pods[2].tag = 11;
  EXPECT_EQ(pod_with_tag(11, pods), 1U);
  EXPECT_TRUE(place(minted(11), pods).is_at(1));
}

TEST(Placement, WithReplicationAnIdIsConfirmedOnceForEachRestart) {
  auto pods = three();
  PlacementQuery query = minted(11, true);
  EXPECT_EQ(place(query, pods).step, Step::kRevive) << "this worker never saw it there";
  query.known = KnownAt{1, 0};
  EXPECT_EQ(place(query, pods).step, Step::kGo);
  pods[1].restarts = 1;
  EXPECT_EQ(place(query, pods).step, Step::kRevive);
  query.known = KnownAt{1, 1};
  EXPECT_EQ(place(query, pods).step, Step::kGo);
  query.known = KnownAt{0, 1};
  EXPECT_EQ(place(query, pods).step, Step::kRevive) << "that was another pod";
  query.replication = false;
  EXPECT_EQ(place(query, pods).step, Step::kGo) << "nothing could be revived";
}

TEST(Placement, TheOnlyPodIsAskedForEverything) {
  std::vector<PodView> pods{{.name = "a", .tag = 10}};
  for (const bool gone : {false, true}) {
    pods[0].gone = gone;
    EXPECT_EQ(place(minted(10), pods).step, Step::kGo);
    EXPECT_EQ(place(minted(99), pods).step, Step::kGo);
    EXPECT_EQ(place(foreign(), pods).step, Step::kGo);
    EXPECT_EQ(place(minted(10, true), pods).step, Step::kRevive);
  }
}

TEST(Placement, AForeignIdGoesWhereAListHasIt) {
  EXPECT_EQ(place(foreign(), three()).step, Step::kAskLists);
  EXPECT_EQ(place(foreign(), listed(Listed::kHasNot, Listed::kNotAsked, Listed::kHasNot)).step,
            Step::kAskLists);
  for (const Listed other : {Listed::kHasNot, Listed::kNotAsked, Listed::kFailed}) {
    const Placement found = place(foreign(), listed(other, Listed::kHas, other));
    EXPECT_EQ(found.step, Step::kGo);
    EXPECT_EQ(found.pod, 1U);
  }
}

TEST(Placement, AForeignIdThatNoListHasIsNoKernel) {
  for (const bool replication : {false, true}) {
    EXPECT_EQ(
        place(foreign(replication), listed(Listed::kHasNot, Listed::kHasNot, Listed::kHasNot)).step,
        Step::kNowhere)
        << "and is never tried at any pod (J23)";
    EXPECT_EQ(
        place(foreign(replication), listed(Listed::kHasNot, Listed::kFailed, Listed::kHasNot)).step,
        Step::kUnsure);
  }
}

TEST(Placement, AForeignIdThatIsKnownGoesThereWithoutLists) {
  auto pods = three();
  PlacementQuery query = foreign();
  query.known = KnownAt{2, 0};
  EXPECT_TRUE(place(query, pods).is_at(2));
  pods[2].restarts = 1;
  EXPECT_EQ(place(query, pods).step, Step::kGo);
  query.replication = true;
  EXPECT_EQ(place(query, pods).step, Step::kRevive);
  EXPECT_EQ(place(query, pods).pod, 2U);
}

TEST(Placement, AGonePodsKernelsAreNotThereWithoutReplication) {
  auto pods = listed(Listed::kNotAsked, Listed::kHasNot, Listed::kHasNot);
  pods[0].gone = true;
  const Placement found = place(minted(10), pods);
  EXPECT_EQ(found.step, Step::kNowhere);
  EXPECT_STREQ(found.why, "its gateway is gone");
}

TEST(Placement, APodThatLeftTheConfigurationIsGone) {
  EXPECT_EQ(place(minted(77), three()).step, Step::kAskLists) << "its pod may have a new name";
  EXPECT_TRUE(place(minted(77), listed(Listed::kHasNot, Listed::kHas, Listed::kHasNot)).is_at(1));
  const auto pods = listed(Listed::kHasNot, Listed::kHasNot, Listed::kHasNot);
  EXPECT_EQ(place(minted(77), pods).step, Step::kNowhere);
  EXPECT_EQ(place(minted(77, true), pods).step, Step::kRevive);
}

TEST(Placement, AListedPodThatCannotBeReachedIsNeverRehomed) {
  auto pods = listed(Listed::kFailed, Listed::kHasNot, Listed::kHasNot);
  pods[0].ready = false;
  EXPECT_TRUE(place(minted(10, true), pods).is_at(0));
}

TEST(Placement, AGonePodsKernelStaysWhereOneHasLoadedIt) {
  auto pods = listed(Listed::kNotAsked, Listed::kHasNot, Listed::kHas);
  pods[0].gone = true;
  pods[2].ready = false;  // it keeps its own
  const Placement found = place(minted(10, true), pods);
  EXPECT_EQ(found.step, Step::kGo);
  EXPECT_EQ(found.pod, 2U);
}

TEST(Placement, NothingIsRehomedWhileAListIsMissing) {
  auto pods = listed(Listed::kNotAsked, Listed::kHasNot, Listed::kFailed);
  pods[0].gone = true;
  EXPECT_EQ(place(minted(10, true), pods).step, Step::kUnsure);
  pods[2].listed = Listed::kNotAsked;
  EXPECT_EQ(place(minted(10, true), pods).step, Step::kAskLists);
  pods[1].listed = Listed::kHas;
  EXPECT_EQ(place(minted(10, true), pods).step, Step::kAskLists) << "there may be two copies";
}

TEST(Placement, OfCopiesEveryProxyChoosesTheSame) {
  auto pods = listed(Listed::kNotAsked, Listed::kHas, Listed::kHas);
  pods[0].gone = true;
  const Placement found = place(minted(10, true), pods);
  EXPECT_EQ(found.step, Step::kGo);
  auto turned = std::vector<PodView>{pods[2], pods[1], pods[0]};
  EXPECT_EQ(turned[place(minted(10, true), turned).pod].name, pods[found.pod].name);
}

TEST(Placement, ARehomedKernelIsRememberedUntilItsPodRestarts) {
  auto pods = three();
  pods[0].gone = true;
  PlacementQuery query = minted(10, true);
  query.known = KnownAt{2, 0};
  EXPECT_EQ(place(query, pods).step, Step::kGo);
  EXPECT_EQ(place(query, pods).pod, 2U);
  pods[2].restarts = 1;
  EXPECT_EQ(place(query, pods).step, Step::kAskLists);
  pods[0].gone = false;
  EXPECT_TRUE(place(query, pods).is_at(0)) << "its own pod came back";
}

TEST(Placement, AForeignKernelOfAGonePodIsRehomedToo) {
  auto pods = listed(Listed::kHasNot, Listed::kNotAsked, Listed::kHasNot);
  pods[1].gone = true;
  PlacementQuery query = foreign(true);
  query.known = KnownAt{1, 0};
  EXPECT_EQ(place(query, pods).step, Step::kRevive);
  query.known.reset();
  EXPECT_EQ(place(query, pods).step, Step::kNowhere);
}

TEST(Placement, RehomingSpreadsOverReadyPodsOnly) {
  std::set<uint32_t> used;
  auto pods = listed(Listed::kNotAsked, Listed::kHasNot, Listed::kHasNot);
  pods[0].gone = true;
  for (int i = 0; i < 40; ++i) {
    const std::string id = "6bb19c3b-26f6-4b4d-bfc9-be831a9e64" + std::to_string(10 + i);
    PlacementQuery query = minted(10, true);
    query.id = id;
    const Placement found = place(query, pods);
    ASSERT_EQ(found.step, Step::kRevive);
    used.insert(found.pod);
    auto cordoned = pods;
    cordoned[found.pod].ready = false;
    const Placement other = place(query, cordoned);
    EXPECT_EQ(other.step, Step::kRevive);
    EXPECT_NE(other.pod, found.pod);
  }
  EXPECT_EQ(used, (std::set<uint32_t>{1, 2}));
  pods[1].ready = pods[2].ready = false;
  EXPECT_EQ(place(minted(10, true), pods).step, Step::kUnsure);
}

TEST(Placement, WhereNoPodAnswersNothingIsSaidToBeGone) {
  auto pods = three();
  for (PodView& pod : pods) pod.gone = true;
  EXPECT_EQ(place(minted(10), pods).step, Step::kUnsure);
  EXPECT_EQ(place(foreign(true), pods).step, Step::kUnsure);
}

}  // namespace kg::routing::placement_test
