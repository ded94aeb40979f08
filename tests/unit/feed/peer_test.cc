// History and Peer: what a proxy is sent, and what it can hold up.
#include "routing/feed/peer.h"

#include <map>

#include "routing/feed/held_state.h"
#include "routing/feed/limits.h"
#include "tests/unit/feed/feed_items.h"

namespace kg::feed::peer_test {

using testing::ElementsAre;
using testing::Pair;

// The other end of a Peer, without sockets.
struct Reader {
  // Takes what it is sent until there is no more; how many parts.
  size_t take(Peer& peer, bool idle_too = true) {
    size_t parts = 0;
    while (const auto bytes = peer.next(idle_too, 0)) {
      ++parts;
      const char* problem = "";
      Update update = std::get<Update>(*parse(*bytes, problem));
      const Version to = update.to;
      const uint64_t part = update.part;
      last_size = update.upserts.size() + update.deletes.size();
      const Staged staged = state.stage(std::move(update));
      EXPECT_TRUE(staged == Staged::kMore || staged == Staged::kReady) << int(staged);
      if (staged == Staged::kReady) state.accept();
      std::optional<Digest> digest;
      if (staged == Staged::kReady) digest = state.digest();
      EXPECT_TRUE(peer.on_ack({round, to, part, digest}, 0));
    }
    return parts;
  }
  void sync(Peer& peer) { peer.on_sync({++round, state.version(), state.digest(), false}, 0); }
  std::map<std::string, std::string> map() const {
    std::map<std::string, std::string> out;
    for (const Change& change : state.content().changes) {
      out[change.key()] = *change.item->payload;
    }
    return out;
  }

  HeldState state;
  uint64_t round = 0;
  size_t last_size = 0;
};

class PeerTest : public testing::Test {
 protected:
  void publish(std::vector<Change> changes) {
    ASSERT_EQ(history.publish({1, ++sequence}, std::move(changes)), "");
  }
  Peer peer(const std::string& scope_text = "all") {
    return {"", "proxy", history.audience(scope(scope_text))};
  }
  History history;
  uint64_t sequence = 0;
  Reader reader;
};

TEST_F(PeerTest, ChangesThatPileUpBecomeOneUpdate) {
  publish({set("a", "1")});
  Peer one = peer();
  reader.sync(one);
  EXPECT_EQ(reader.take(one), 1U);
  for (int i = 0; i < 100; ++i) publish({set("a", std::to_string(i)), set("b", "x")});
  publish({gone("b"), set("c", "2")});
  EXPECT_EQ(reader.take(one), 1U);
  EXPECT_EQ(reader.last_size, 2U) << "b came and went";
  EXPECT_THAT(reader.map(), ElementsAre(Pair("a", "99"), Pair("c", "2")));
  EXPECT_EQ(one.snapshots(), 1U);
}

TEST_F(PeerTest, WhoIsBeyondTheRingGetsTheWholeState) {
  publish({set("a", "1"), set("b", "1")});
  Peer one = peer();
  reader.sync(one);
  reader.take(one);
  for (size_t i = 0; i <= kRingEntriesMax; ++i) publish({set("a", std::to_string(i))});
  EXPECT_EQ(history.ring_entries(), kRingEntriesMax);
  publish({gone("b")});
  reader.take(one);
  EXPECT_EQ(one.snapshots(), 2U);
  EXPECT_THAT(reader.map(), ElementsAre(Pair("a", std::to_string(kRingEntriesMax))));
}

TEST_F(PeerTest, TheRingIsBoundedInBytesToo) {
  publish({set("a", "1")});
  Peer one = peer();
  reader.sync(one);
  reader.take(one);
  for (char c = 'a'; c < 'm'; ++c) publish({set("a", std::string(size_t{3} * 1024 * 1024, c))});
  publish({set("a", "2")});
  EXPECT_EQ(history.ring_entries(), 11U) << "ten of them and the last";
  reader.take(one);
  EXPECT_EQ(one.snapshots(), 2U);
  EXPECT_THAT(reader.map(), ElementsAre(Pair("a", "2")));
}

TEST_F(PeerTest, ASlowProxyHoldsNoMoreThanItsCredit) {
  std::vector<Change> changes;
  for (int i = 0; i < 40; ++i) {
    changes.push_back(set(std::to_string(i), std::string(100'000, 'x')));
  }
  publish(std::move(changes));
  Peer slow = peer();
  reader.sync(slow);
  std::vector<std::shared_ptr<const std::string>> sent;
  while (const auto bytes = slow.next(true, 0)) sent.push_back(bytes);
  EXPECT_LE(sent.size(), kPartsInFlight);
  EXPECT_LT(slow.bytes_in_flight() - sent.back()->size(), kBytesInFlight);
  const size_t held = slow.bytes_in_flight();
  for (int i = 0; i < 20; ++i) {
    publish({set("a", std::to_string(i))});
    EXPECT_EQ(slow.next(true, 0), nullptr);
  }
  EXPECT_EQ(slow.bytes_in_flight(), held);
  EXPECT_LE(held, kPeerBytesMax);
  EXPECT_FALSE(slow.stalled(uint64_t{kStallMs} * 1'000));
  EXPECT_TRUE(slow.stalled(uint64_t{kStallMs} * 1'000 + 1));
  // Slow, and not dead: it goes on where it was, and then gets what changed meanwhile.
  const char* problem = "";
  for (const auto& bytes : sent) {
    Update update = std::get<Update>(*parse(*bytes, problem));
    const uint64_t part = update.part;
    EXPECT_EQ(reader.state.stage(std::move(update)), Staged::kMore);
    EXPECT_TRUE(slow.on_ack({1, {1, 1}, part, std::nullopt}, 0));
  }
  reader.take(slow);
  EXPECT_EQ(reader.state.version(), (Version{1, 21}));
  EXPECT_EQ(reader.map().at("a"), "19");
  EXPECT_EQ(slow.snapshots(), 1U);
}

TEST_F(PeerTest, OldStatesAreKeptForAFewSlowProxiesOnly) {
  std::vector<Change> changes;
  for (int i = 0; i < 30; ++i) {
    changes.push_back(set(std::to_string(i), std::string(100'000, 'x')));
  }
  publish(std::move(changes));
  Peer slow = peer();
  reader.sync(slow);
  ASSERT_NE(slow.next(true, 0), nullptr);
  // Others begin, each when the version before is in the older half of the ring: each gets a newer
  // state.
  std::vector<std::unique_ptr<Peer>> others;
  for (size_t i = 0; i < kSnapshotsAtATime; ++i) {
    const int changes_since = i == 0 ? 20 : 60;
    for (int j = 0; j < changes_since; ++j) publish({set("a", std::to_string(j))});
    others.push_back(std::make_unique<Peer>("", "other", history.audience(Scope::all())));
    others.back()->on_sync({1, {}, {}, true}, 0);
    ASSERT_NE(others.back()->next(true, 0), nullptr);
  }
  // Its state is no longer kept: it begins with a newer one, from the first part.
  const auto bytes = slow.next(true, 0);
  ASSERT_NE(bytes, nullptr);
  const char* problem = "";
  const Update update = std::get<Update>(*parse(*bytes, problem));
  EXPECT_EQ(update.part, 0U);
  EXPECT_EQ(update.to, history.version());
}

TEST_F(PeerTest, WhoHoldsSomethingElseUnderTheSameVersionGetsAllOfIt) {
  publish({set("a", "1")});
  Peer one = peer();
  Digest wrong{};
  one.on_sync({1, {1, 1}, wrong, false}, 0);
  EXPECT_NE(one.next(true, 0), nullptr);
  EXPECT_EQ(one.snapshots(), 1U);
  EXPECT_FALSE(one.on_ack({1, {1, 1}, 0, wrong}, 0)) << "and says so behind it";
}

TEST_F(PeerTest, WhatLeavesAScopeIsGoneThere) {
  publish({set("a", "1", "one"), set("b", "1", "two")});
  Peer narrow = peer("namespace:one");
  reader.sync(narrow);
  reader.take(narrow);
  EXPECT_THAT(reader.map(), ElementsAre(Pair("a", "1")));
  publish({set("a", "2", "two"), set("b", "2", "one")});
  reader.take(narrow);
  EXPECT_THAT(reader.map(), ElementsAre(Pair("b", "2")));
  publish({gone("a")});
  EXPECT_EQ(reader.take(narrow, false), 0U) << "not even that there was one";
  EXPECT_EQ(reader.take(narrow, true), 1U);
  EXPECT_EQ(reader.last_size, 0U);
  EXPECT_EQ(reader.state.version(), history.version());
}

TEST_F(PeerTest, APublicationThatBreaksARuleChangesNothing) {
  publish({set("a", "1")});
  EXPECT_NE(history.publish({1, 1}, {}), "") << "not newer";
  EXPECT_NE(history.publish({0, 9}, {}), "");
  EXPECT_NE(history.publish({1, 2}, {set("b", "1"), gone("b")}), "") << "twice";
  EXPECT_NE(history.publish({1, 2}, {set("", "1")}), "");
  EXPECT_NE(history.publish({1, 2}, {set("b", std::string(kPayloadBytesMax + 1, 'x'))}), "");
  EXPECT_EQ(history.version(), (Version{1, 1}));
  EXPECT_EQ(history.items(), 1U);
}

TEST_F(PeerTest, AllAnewIsPublishedAsWhatDiffers) {
  publish({set("a", "1"), set("b", "1"), set("c", "1")});
  Peer one = peer();
  reader.sync(one);
  reader.take(one);
  ASSERT_EQ(history.publish_all({2, 1}, {item("a", "1"), item("c", "2"), item("d", "1")}), "");
  reader.take(one);
  EXPECT_EQ(reader.last_size, 3U);
  EXPECT_THAT(reader.map(), ElementsAre(Pair("a", "1"), Pair("c", "2"), Pair("d", "1")));
}

}  // namespace kg::feed::peer_test
