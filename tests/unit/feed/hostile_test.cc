// Either end against one that says what no program of ours would. In plaintext, as what is tested
// lies behind the door, but where it is about keys.
#include <deque>

#include "routing/feed/limits.h"
#include "routing/feed/wire.h"
#include "tests/unit/feed/feed_fixture.h"

namespace kg::feed::hostile_test {

using testing::ElementsAre;
using testing::Pair;

// A socket that says what a test tells it to.
struct Scripted final : SocketHandler {
  Scripted(event::EventLoop& event_loop, Socket::Kind kind,
           const std::optional<KeyPair>& keys = std::nullopt, const std::string& server_key = "")
      : loop(event_loop) {
    std::string problem;
    socket =
        Socket::make(context, loop, *this, {kind, kMessageBytesMax, keys, server_key}, problem);
    EXPECT_NE(socket, nullptr) << problem;
  }
  ~Scripted() {
    socket->close();
    loop.defer_delete(std::move(socket));
  }
  void on_message(std::span<const std::string_view> frames, std::string_view) override {
    if (frames.size() == 2) peer = frames[0];
    const char* problem = "";
    auto message = parse(frames.back(), problem);
    ASSERT_TRUE(message.has_value()) << problem;
    if (std::holds_alternative<AliveProxy>(*message)) return;
    if (std::holds_alternative<AliveController>(*message)) return;
    heard.push_back(*std::move(message));
  }
  void on_connection(bool stands) override { connected = stands; }
  // Waits for room: libzmq hands messages over by a thread of its own.
  void say(std::string_view bytes) {
    std::vector<std::string_view> frames{bytes};
    if (!peer.empty()) frames.insert(frames.begin(), peer);
    EXPECT_TRUE(event::run_until(loop, [&] { return socket->send(frames) == Sent::kYes; }));
  }
  void say(const Message& message) { say(encode(message)); }
  // The next thing that is heard, which must be this.
  template <class T>
  T next() {
    EXPECT_TRUE(event::run_until(loop, [this] { return !heard.empty(); }));
    if (heard.empty()) return T();
    const Message message = std::move(heard.front());
    heard.pop_front();
    const T* wanted = std::get_if<T>(&message);
    EXPECT_NE(wanted, nullptr) << "instead of message " << message.index();
    return wanted != nullptr ? *wanted : T();
  }

  event::EventLoop& loop;
  Context context;
  std::unique_ptr<Socket> socket;
  std::string peer;
  bool connected = false;
  std::deque<Message> heard;
};

class HostileController : public FeedTest {
 protected:
  HostileController() : scripted(loop, Socket::Kind::kRouter) {
    EXPECT_EQ(scripted.socket->bind("tcp://127.0.0.1:*"), "");
    Subscriber::Options plain = options({scripted.socket->bound_address()});
    plain.plaintext = true;
    three = proxy(plain);
    EXPECT_EQ(scripted.next<Hello>().name, "proxy-0");
    scripted.say(Welcome{kProtocol, kSchema, {1, 9}, "all"});
    begin();
    scripted.say(update(std::nullopt, {1, 1}, {*item("a", "1")}, {*item("a", "1")}));
    EXPECT_EQ(scripted.next<Ack>().digest, digest({*item("a", "1")}));
    EXPECT_TRUE(three->has({1, 1}));
  }
  static Digest digest(const std::vector<Item>& items) {
    StateDigest out;
    for (const Item& one : items) out.add(ItemMark(one));
    return out.value();
  }
  static Update update(std::optional<Version> from, Version to, std::vector<Item> items,
                       const std::vector<Item>& then) {
    return {kSchema, from, to, 0, digest(then), std::move(items), {}};
  }
  Sync begin() {
    const Sync sync = scripted.next<Sync>();
    scripted.say(Begin{sync.round});
    return sync;
  }
  const SubscriberCounts& counts() const { return three->subscriber->counts(); }
  // Whatever was refused: it asks again, and takes what is right.
  void expect_recovery(bool whole) {
    EXPECT_EQ(begin().whole, whole);
    EXPECT_EQ(counts().resyncs, 1U);
    EXPECT_THAT(three->follower.state, ElementsAre(Pair("a", "1")));
    scripted.say(update(std::nullopt, {1, 3}, {*item("a", "3")}, {*item("a", "3")}));
    scripted.next<Ack>();
    EXPECT_THAT(three->follower.state, ElementsAre(Pair("a", "3")));
    EXPECT_EQ(three->follower.asked, 2U);
  }
  const Update good =
      update(Version{1, 1}, {1, 2}, {*item("b", "2")}, {*item("a", "1"), *item("b", "2")});
  Scripted scripted;
  std::unique_ptr<Proxy> three;
};

TEST_F(HostileController, AChangedByteIsRefused) {
  std::string bytes = encode(good);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  scripted.say(bytes);
  expect_recovery(false);
  EXPECT_EQ(counts().unreadable, 1U);
}

TEST_F(HostileController, AReplayedUpdateIsRefused) {
  scripted.say(update(Version{1, 0}, {1, 1}, {*item("a", "replayed")}, {*item("a", "replayed")}));
  expect_recovery(false);
  EXPECT_EQ(counts().older, 1U);
}

TEST_F(HostileController, AFormerTermIsRefused) {
  scripted.say(update(std::nullopt, {0, 99}, {*item("a", "0")}, {*item("a", "0")}));
  expect_recovery(false);
  EXPECT_EQ(counts().older, 1U);
}

TEST_F(HostileController, AGapIsRefused) {
  Update gap = good;
  gap.from = {1, 0};
  scripted.say(gap);
  expect_recovery(false);
  EXPECT_EQ(counts().gaps, 1U);
}

TEST_F(HostileController, AStateThatIsNotWhatWasSummedUpIsRefused) {
  Update wrong = good;
  wrong.digest = digest({*item("b", "2")});
  scripted.say(wrong);
  expect_recovery(true);
  EXPECT_EQ(counts().diverged, 1U);
}

TEST_F(HostileController, ASchemaThatIsNotReadIsRefused) {
  Update newer = good;
  newer.schema = kSchema + 1;
  scripted.say(newer);
  expect_recovery(false);
  EXPECT_EQ(counts().schema, 1U);
}

TEST_F(HostileController, WhatItDidNotAskForIsNotHeard) {
  Update gap = good;
  gap.from = {1, 0};
  scripted.say(gap);
  scripted.say(gap);  // still on its way when the proxy asked again
  scripted.say(good);
  scripted.say(Begin{77});
  scripted.say(good);
  expect_recovery(false);
  EXPECT_EQ(counts().gaps, 1U);
}

class HostileProxy : public FeedTest {
 protected:
  HostileProxy() : scripted(loop, Socket::Kind::kDealer) {
    Publisher::Options plain{{"tcp://127.0.0.1:*"}, std::nullopt, true, {}, kSchema};
    publisher = std::make_unique<Publisher>(loop, leader, plain);
    EXPECT_EQ(publisher->start(), "");
    EXPECT_EQ(publisher->publish({1, 1}, {set("a", "1")}), "");
    EXPECT_EQ(scripted.socket->connect(publisher->bound_addresses()[0]), "");
    EXPECT_TRUE(until([&] { return scripted.connected; }));
  }
  const PublisherCounts& counts() const { return publisher->counts(); }
  Leader leader;
  std::unique_ptr<Publisher> publisher;
  Scripted scripted;
};

TEST_F(HostileProxy, WhoHasNotSaidHelloIsAskedForIt) {
  scripted.say(Sync{1, {}, {}, true});
  scripted.next<Again>();
  scripted.say(Hello{9, 9, 1, 1, "from-the-future"});
  scripted.next<Deny>();
  scripted.say(Hello{1, 1, 2, 3, "another-schema"});
  scripted.next<Deny>();
  EXPECT_EQ(counts().denied, 2U);
  EXPECT_TRUE(publisher->proxies().empty());
}

TEST_F(HostileProxy, NoiseIsCountedAndHarmless) {
  scripted.say("");
  scripted.say("noise");
  scripted.say(encode(Hello{1, 1, 1, 1, "cut"}).substr(0, 40));
  scripted.say(Hello{1, 1, 1, 1, "proxy"});
  EXPECT_EQ(scripted.next<Welcome>().version, (Version{1, 1}));
  EXPECT_EQ(counts().unreadable, 3U);
  const std::array<std::string_view, 3> frames{"a", "b", "c"};
  scripted.socket->send(frames);
  scripted.say(Welcome{1, 1, {9, 9}, "all"});  // a controller's word
  EXPECT_TRUE(until([&] { return counts().unreadable == 5; }));
}

TEST_F(HostileProxy, AcknowledgingSomethingElseChangesNothingAndAWrongStateIsNoticed) {
  scripted.say(Hello{1, 1, 1, 1, "proxy"});
  scripted.next<Welcome>();
  scripted.say(Sync{1, {}, {}, false});
  EXPECT_EQ(scripted.next<Begin>().round, 1U);
  const Update whole = scripted.next<Update>();
  scripted.say(Ack{1, {7, 7}, 0, whole.digest});
  scripted.say(Ack{2, {1, 1}, 0, whole.digest});
  scripted.say(Ack{1, {1, 1}, 3, whole.digest});
  scripted.say(Fact{std::string(kFactIdBytes, 'f'), "", "", "a sign that all was read"});
  ASSERT_TRUE(until([&] { return counts().facts_heard == 1; }));
  EXPECT_EQ(publisher->proxies()[0].acknowledged, Version());
  EXPECT_GT(publisher->proxies()[0].bytes_in_flight, 0U);
  scripted.say(Ack{1, {1, 1}, 0, Digest{}});
  scripted.next<Again>();
  EXPECT_EQ(counts().diverged, 1U);
}

TEST_F(HostileProxy, AFloodOfFactsIsHeldToARate) {
  scripted.say(Hello{1, 1, 1, 1, "proxy"});
  scripted.next<Welcome>();
  for (uint32_t i = 0; i < kFactsAtOnce + 500; ++i) {
    std::string id(kFactIdBytes, 'f');
    id.replace(0, 5, std::to_string(10'000 + i));
    if (i == kFactsAtOnce) scripted.say(Hello{1, 1, 1, 1, "as new"});
    scripted.say(Fact{id, "", "", ""});
  }
  ASSERT_TRUE(
      until([&] { return counts().facts_heard + counts().facts_dropped == kFactsAtOnce + 500; }));
  EXPECT_GE(counts().facts_heard, kFactsAtOnce);
  EXPECT_GT(counts().facts_dropped, 100U);
}

TEST_F(HostileProxy, WhatItWasNotSentItCannotRefuse) {
  scripted.say(Hello{1, 1, 1, 1, "proxy"});
  scripted.next<Welcome>();
  scripted.say(Refuse{0, {1, 1}, "a line of the log"});
  scripted.say(Sync{1, {}, {}, false});
  scripted.next<Begin>();
  const Update whole = scripted.next<Update>();
  scripted.say(Refuse{1, {1, 7}, "another"});
  for (int i = 0; i < 2; ++i) scripted.say(Refuse{1, whole.to, "no"});
  scripted.say(Fact{std::string(kFactIdBytes, 'f'), "", "", "a sign that all was read"});
  ASSERT_TRUE(until([&] { return counts().facts_heard == 1; }));
  EXPECT_THAT(leader.refusals, ElementsAre("proxy: no"));
}

// Whose key sees one namespace, and who may have given it away.
class NarrowKey : public FeedTest {
 protected:
  NarrowKey() {
    allowed.add(narrow_keys.public_key, *Scope::parse("namespace:a", problem));
    Publisher::Options few{{"tcp://127.0.0.1:*"}, controller_keys, false, allowed, kSchema, 2};
    publisher = std::make_unique<Publisher>(loop, leader, few);
    EXPECT_EQ(publisher->start(), "");
  }
  std::unique_ptr<Scripted> connect() {
    auto out = std::make_unique<Scripted>(loop, Socket::Kind::kDealer, narrow_keys,
                                          controller_keys.public_key);
    EXPECT_EQ(out->socket->connect(publisher->bound_addresses()[0]), "");
    EXPECT_TRUE(until([&] { return out->connected; }));
    return out;
  }
  std::string problem;
  KeyPair narrow_keys = make_keys();
  Leader leader;
  std::unique_ptr<Publisher> publisher;
};

TEST_F(NarrowKey, TakesNoPlacesOfOthers) {
  std::vector<std::unique_ptr<Scripted>> many;
  for (int i = 0; i < 3; ++i) {
    many.push_back(connect());
    many.back()->say(Hello{1, 1, 1, 1, "one-of-many"});
    if (i < 2) many.back()->next<Welcome>();
  }
  many.back()->next<Deny>();
  many.front()->say(Hello{1, 1, 1, 1, "again"});
  many.front()->next<Welcome>();
  const auto own = proxy({publisher->bound_addresses()[0]});
  EXPECT_TRUE(until([&] { return own->subscriber->status().connected == 1; }));
}

TEST_F(NarrowKey, AsksNoMoreOftenThanItsRate) {
  const auto one = connect();
  for (uint32_t i = 0; i < kAsksAtOnce + 300; ++i) one->say(Hello{1, 1, 1, 1, "insistent"});
  one->say(Fact{std::string(kFactIdBytes, 'f'), "a", "*", "a sign that all was read"});
  ASSERT_TRUE(until([&] { return publisher->counts().facts_heard == 1; }));
  EXPECT_GT(publisher->counts().denied, 100U);
}

}  // namespace kg::feed::hostile_test
