// Both ends over real sockets.
#include <mutex>

#include "tests/unit/feed/feed_fixture.h"

namespace kg::feed::feed_test {

using testing::ElementsAre;
using testing::Pair;

class Feed : public FeedTest {};

TEST_F(Feed, ALateJoinerGetsTheWholeStateAndThenEachChange) {
  const auto one = controller();
  ASSERT_EQ(one->publisher->publish({1, 1}, {set("a", "1"), set("b", "2")}), "");
  ASSERT_EQ(one->publisher->publish({1, 2}, {set("a", "3")}), "");
  const auto late = proxy({one->address});
  ASSERT_TRUE(until([&] { return late->has({1, 2}); }));
  EXPECT_THAT(late->follower.state, ElementsAre(Pair("a", "3"), Pair("b", "2")));
  EXPECT_EQ(late->subscriber->counts().snapshots, 1U);

  ASSERT_EQ(one->publisher->publish({1, 3}, {set("c", "4"), gone("b")}), "");
  ASSERT_TRUE(until([&] { return late->has({1, 3}); }));
  EXPECT_THAT(late->follower.state, ElementsAre(Pair("a", "3"), Pair("c", "4")));
  EXPECT_EQ(late->follower.last_upserts, 1U) << "a change, not the whole state";
  EXPECT_EQ(late->subscriber->counts().snapshots, 1U);
  EXPECT_TRUE(until([&] {
    const auto proxies = one->publisher->proxies();
    return proxies.size() == 1 && proxies[0].acknowledged == Version{1, 3};
  })) << "acknowledged";
  EXPECT_EQ(late->subscriber->counts().resyncs, 0U);
}

TEST_F(Feed, AProxyThatWaitsHearsOfTheFirstPublication) {
  const auto one = controller();
  const auto early = proxy({one->address});
  ASSERT_TRUE(until([&] { return early->subscriber->status().connected == 1; }));
  EXPECT_EQ(early->follower.asked, 0U);
  const uint64_t start_us = event::monotonic_us();
  ASSERT_EQ(one->publisher->publish({1, 1}, {set("a", "1")}), "");
  ASSERT_TRUE(until([&] { return early->has({1, 1}); }));
  EXPECT_LT(event::monotonic_us() - start_us, uint64_t{kHeartbeatMs} * 1'000 / 2)
      << "told at once, not with a heartbeat";
}

TEST_F(Feed, AKeyThatIsNotOnTheListLearnsNothing) {
  const auto one = controller();
  ASSERT_EQ(one->publisher->publish({1, 1}, {set("a", "1")}), "");
  Subscriber::Options stranger_options = options({one->address});
  stranger_options.keys = make_keys();
  const auto stranger = proxy(stranger_options);
  Subscriber::Options fooled_options = options({one->address});
  fooled_options.controller_keys = {make_keys().public_key};  // believes another controller
  const auto fooled = proxy(fooled_options);
  const auto friendly = proxy({one->address});
  ASSERT_TRUE(until([&] { return one->publisher->counts().denied > 0 && friendly->has({1, 1}); }));
  EXPECT_EQ(stranger->follower.asked, 0U);
  EXPECT_EQ(stranger->subscriber->status().connections, 0U);
  EXPECT_EQ(fooled->subscriber->status().connections, 0U);
  EXPECT_EQ(one->publisher->proxies().size(), 1U);
}

TEST_F(Feed, AKeyOfANamespaceLearnsOnlyThatNamespace) {
  const KeyPair sidecar_keys = make_keys();
  const KeyPair narrow_keys = make_keys();
  allowed.add(sidecar_keys.public_key, scope("namespace:analytics"));
  allowed.add(narrow_keys.public_key, scope("endpoint:research/r1"));
  const auto one = controller();
  ASSERT_EQ(one->publisher->publish({1, 1}, {set("endpoint/analytics/x", "x", "analytics", "x"),
                                             set("certificate/analytics/c", "c", "analytics"),
                                             set("endpoint/research/r1", "r1", "research", "r1"),
                                             set("endpoint/research/r2", "r2", "research", "r2"),
                                             set("revocations", "all", "")}),
            "");
  Subscriber::Options sidecar_options = options({one->address});
  sidecar_options.keys = sidecar_keys;
  const auto sidecar = proxy(sidecar_options);
  Subscriber::Options narrow_options = options({one->address});
  narrow_options.keys = narrow_keys;
  const auto narrow = proxy(narrow_options);
  ASSERT_TRUE(until([&] { return sidecar->has({1, 1}) && narrow->has({1, 1}); }));
  EXPECT_THAT(sidecar->follower.state,
              ElementsAre(Pair("certificate/analytics/c", "c"), Pair("endpoint/analytics/x", "x"),
                          Pair("revocations", "all")));
  EXPECT_THAT(narrow->follower.state,
              ElementsAre(Pair("endpoint/research/r1", "r1"), Pair("revocations", "all")));

  // What is of others is not even mentioned, and the version comes with the next heartbeat.
  ASSERT_EQ(one->publisher->publish({1, 2}, {gone("endpoint/research/r2")}), "");
  ASSERT_TRUE(until([&] { return sidecar->has({1, 2}) && narrow->has({1, 2}); }));
  EXPECT_EQ(sidecar->follower.state.size(), 3U);

  // A key that loses its scope is cut off, and comes back with the new one.
  AllowList narrower;
  narrower.add(sidecar_keys.public_key, scope("endpoint:analytics/x"));
  one->publisher->allow(narrower);
  ASSERT_TRUE(until([&] { return sidecar->follower.state.size() == 2; }));
  EXPECT_THAT(sidecar->follower.state,
              ElementsAre(Pair("endpoint/analytics/x", "x"), Pair("revocations", "all")));
  ASSERT_EQ(one->publisher->publish({1, 3}, {set("revocations", "none", "")}), "");
  ASSERT_TRUE(until([&] { return sidecar->has({1, 3}); }));
  EXPECT_TRUE(narrow->has({1, 2})) << "its key is no longer on the list";
}

TEST_F(Feed, TheNewestOfTwoControllersIsFollowedAndAnEqualStateIsNotSentAgain) {
  const auto old_leader = controller();
  const auto standby = controller();
  const auto three = proxy({old_leader->address, standby->address});
  ASSERT_EQ(old_leader->publisher->publish({1, 57}, {set("a", "1"), set("b", "2")}), "");
  ASSERT_TRUE(until([&] {
    return three->has({1, 57}) && three->subscriber->status().connected == 2;
  }));
  // The new leader has compiled the same state; the old one does not know yet that it is none.
  ASSERT_EQ(standby->publisher->publish_all({2, 1}, {item("a", "1"), item("b", "2")}), "");
  ASSERT_TRUE(until([&] { return three->has({2, 1}); }));
  EXPECT_EQ(three->subscriber->counts().snapshots, 1U) << "the first one";
  EXPECT_EQ(three->subscriber->status().followed, standby->address);
  ASSERT_EQ(old_leader->publisher->publish({1, 58}, {set("a", "stale")}), "");
  ASSERT_EQ(standby->publisher->publish({2, 2}, {set("b", "3")}), "");
  ASSERT_TRUE(until([&] { return three->has({2, 2}); }));
  EXPECT_THAT(three->follower.state, ElementsAre(Pair("a", "1"), Pair("b", "3")));
  EXPECT_THAT(three->follower.versions, ElementsAre(Version{1, 57}, Version{2, 1}, Version{2, 2}));
}

TEST_F(Feed, AControllerThatStartsAgainIsFollowedAndNothingIsLostMeanwhile) {
  auto one = controller();
  ASSERT_EQ(one->publisher->publish({1, 1}, {set("a", "1")}), "");
  const auto three = proxy({one->address});
  ASSERT_TRUE(until([&] { return three->has({1, 1}); }));
  const std::string address = one->address;
  one.reset();
  ASSERT_TRUE(until([&] { return three->subscriber->status().connected == 0; }));
  EXPECT_THAT(three->follower.state, ElementsAre(Pair("a", "1")));
  one = controller(address);
  ASSERT_EQ(one->publisher->publish({2, 1}, {set("a", "2")}), "");
  ASSERT_TRUE(until([&] { return three->has({2, 1}); }));
  EXPECT_THAT(three->follower.state, ElementsAre(Pair("a", "2")));
}

TEST_F(Feed, NothingGoesBackwardsButByReset) {
  auto one = controller();
  ASSERT_EQ(one->publisher->publish({9, 1}, {set("a", "new")}), "");
  EXPECT_NE(one->publisher->publish({9, 1}, {set("a", "again")}), "");
  EXPECT_NE(one->publisher->publish({8, 7}, {set("a", "older")}), "");
  const auto three = proxy({one->address});
  ASSERT_TRUE(until([&] { return three->has({9, 1}); }));
  const std::string address = one->address;
  one.reset();
  one = controller(address);  // its cluster was restored from a backup
  ASSERT_EQ(one->publisher->publish({2, 1}, {set("a", "old")}), "");
  ASSERT_TRUE(until([&] { return three->subscriber->counts().behind == 1; }));
  EXPECT_TRUE(three->has({9, 1}));
  EXPECT_THAT(three->follower.state, ElementsAre(Pair("a", "new")));
  three->subscriber->reset();
  ASSERT_TRUE(until([&] { return three->has({2, 1}); }));
  EXPECT_THAT(three->follower.state, ElementsAre(Pair("a", "old")));
}

TEST_F(Feed, AnUpdateThatTheOwnerRefusesChangesNothingAndIsReported) {
  const auto one = controller();
  ASSERT_EQ(one->publisher->publish({1, 1}, {set("a", "1"), set("b", "1")}), "");
  const auto three = proxy({one->address});
  ASSERT_TRUE(until([&] { return three->has({1, 1}); }));
  three->follower.refusal = "endpoint a: no such key";
  ASSERT_EQ(one->publisher->publish({1, 2}, {set("a", "bad")}), "");
  ASSERT_TRUE(until([&] { return one->leader.refusals.size() == 1; }));
  EXPECT_EQ(one->leader.refusals[0], "proxy-0: endpoint a: no such key");
  EXPECT_TRUE(three->has({1, 1}));
  three->follower.refusal = "";
  ASSERT_EQ(one->publisher->publish({1, 3}, {set("a", "good")}), "");
  ASSERT_TRUE(until([&] { return three->has({1, 3}); }));
  EXPECT_THAT(three->follower.state, ElementsAre(Pair("a", "good"), Pair("b", "1")));
  EXPECT_EQ(three->follower.asked, 3U) << "a refused version is not sent again";
}

TEST_F(Feed, AStateOfManyPartsArrivesWhole) {
  const auto one = controller();
  std::vector<Change> changes;
  for (int i = 0; i < 40; ++i) {
    changes.push_back(set("item/" + std::to_string(i), std::string(100'000, 'x')));
  }
  ASSERT_EQ(one->publisher->publish({1, 1}, changes), "");
  const auto three = proxy({one->address});
  ASSERT_TRUE(until([&] { return three->has({1, 1}); }));
  EXPECT_EQ(three->follower.state.size(), 40U);
  EXPECT_EQ(three->follower.asked, 1U);
  EXPECT_GE(one->publisher->counts().messages_sent, 13U);
}

TEST_F(Feed, AFactReachesEveryOtherProxyOnceThroughSeveralControllers) {
  const auto one = controller();
  const auto two = controller();
  const std::vector<std::string> both{one->address, two->address};
  const auto a = proxy(both);
  const auto b = proxy(both);
  ASSERT_TRUE(until([&] {
    return a->subscriber->status().connected == 2 && b->subscriber->status().connected == 2;
  }));
  ASSERT_TRUE(a->subscriber->publish_fact({"", "analytics", "x", "first"}));
  ASSERT_TRUE(b->subscriber->publish_fact({"", "", "", "second"}));
  ASSERT_TRUE(until([&] {
    return a->follower.facts.size() == 1 && b->follower.facts.size() == 1 &&
           one->leader.facts.size() == 2 && two->leader.facts.size() == 2;
  }));
  ASSERT_TRUE(a->subscriber->publish_fact({"", "analytics", "x", "third"}));
  ASSERT_TRUE(until([&] { return b->follower.facts.size() == 2; }));
  EXPECT_THAT(b->follower.facts, ElementsAre("first", "third"));
  EXPECT_THAT(a->follower.facts, ElementsAre("second"));
}

TEST_F(Feed, AFactIsSaidAndHeardWithinScopesOnly) {
  const KeyPair analytics_keys = make_keys();
  const KeyPair research_keys = make_keys();
  allowed.add(analytics_keys.public_key, scope("namespace:analytics"));
  allowed.add(research_keys.public_key, scope("namespace:research"));
  const auto one = controller();
  Subscriber::Options for_analytics = options({one->address});
  for_analytics.keys = analytics_keys;
  const auto analytics = proxy(for_analytics);
  Subscriber::Options for_research = options({one->address});
  for_research.keys = research_keys;
  const auto research = proxy(for_research);
  const auto all = proxy({one->address});
  ASSERT_TRUE(until([&] { return one->publisher->proxies().size() == 3; }));
  ASSERT_TRUE(until([&] { return analytics->subscriber->status().connected == 1; }));
  ASSERT_NE(analytics->subscriber->scope(), nullptr);
  EXPECT_EQ(analytics->subscriber->scope()->text(), "namespace:analytics");
  ASSERT_TRUE(analytics->subscriber->publish_fact({"", "research", "r", "of others"}));
  ASSERT_TRUE(analytics->subscriber->publish_fact({"", "", "", "of everybody"}));
  ASSERT_TRUE(analytics->subscriber->publish_fact({"", "analytics", "x", "own"}));
  ASSERT_TRUE(until([&] { return all->follower.facts.size() == 1; }));
  EXPECT_THAT(all->follower.facts, ElementsAre("own"));
  EXPECT_EQ(one->publisher->counts().facts_dropped, 2U);
  one->publisher->publish_fact({"", "", "", "from the controller"});
  ASSERT_TRUE(until([&] { return research->follower.facts.size() == 1; }));
  EXPECT_THAT(research->follower.facts, ElementsAre("from the controller"));
}

TEST_F(Feed, WhoTellsWhatItHasSeenHearsAnyNumber) {
  const auto one = controller();
  const auto three = proxy({one->address});
  ASSERT_TRUE(until([&] { return three->subscriber->status().connected == 1; }));
  size_t said = 0;
  while (said < 4 * kFactsUnseenMax) {
    for (size_t i = 0; i < kFactsSeenStep; ++i, ++said) {
      one->publisher->publish_fact({"", "", "", "word"});
    }
    ASSERT_TRUE(until([&] { return three->follower.facts.size() == said; }));
  }
  EXPECT_EQ(one->publisher->counts().facts_dropped, 0U) << "a heartbeat tells of too few";
}

TEST_F(Feed, PlaintextOnlyWhereBothSidesAskForIt) {
  Leader leader;
  Publisher::Options published{{"tcp://127.0.0.1:*"}, std::nullopt, false, {}, kSchema};
  EXPECT_NE(Publisher(loop, leader, published).start(), "");
  published.plaintext = true;
  Publisher publisher(loop, leader, published);
  ASSERT_EQ(publisher.start(), "");
  ASSERT_EQ(publisher.publish({1, 1}, {set("a", "1")}), "");
  const auto encrypting = proxy({publisher.bound_addresses()[0]});
  Subscriber::Options plain = options(publisher.bound_addresses());
  plain.plaintext = true;
  const auto three = proxy(plain);
  ASSERT_TRUE(until([&] { return three->has({1, 1}); }));
  EXPECT_EQ(encrypting->follower.asked, 0U);
}

TEST_F(Feed, AddressesBehindANameAreFollowedAsTheyChange) {
  const auto one = controller();
  const auto two = controller();
  struct Names {
    std::mutex mutex;  // a look-up has a thread of its own
    std::vector<std::string> addresses;
    int looked = 0;
  };
  const auto names = std::make_shared<Names>();
  Subscriber::Options named = options({});
  named.look_up = [names](const std::vector<feed::Controller>& asked) {
    const std::lock_guard lock(names->mutex);
    ++names->looked;
    const bool right = asked.size() == 1 && asked[0].host == "controllers.test";
    return Addresses{right ? names->addresses : std::vector<std::string>(), true};
  };
  ASSERT_EQ(two->publisher->publish({1, 1}, {set("a", "1")}), "");
  const auto three = proxy(named);
  ASSERT_TRUE(until([&] {
    const std::lock_guard lock(names->mutex);
    return names->looked == 1;
  }));
  {
    const std::lock_guard lock(names->mutex);
    names->addresses = {one->address, two->address};
  }
  ASSERT_TRUE(until([&] { return three->has({1, 1}); })) << "asked again soon";
  EXPECT_EQ(three->subscriber->status().controllers, 2U);
}

}  // namespace kg::feed::feed_test
