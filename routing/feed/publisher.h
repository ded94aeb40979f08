// Publisher: the controller's end of the feed: what is published goes to the proxies that may see
// it, and facts of one proxy to all others.
//
// It knows nothing of leadership: its owner publishes while it leads. One that has never published
// keeps proxies waiting; one that no longer does lets them stay, and they leave for a newer
// version. Owner:  the controller. Thread: the loop's. README.md has the protocol. Limits:
// limits.h. Errors: sentences; a proxy's are counted, and its owner is told of refusals.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "routing/feed/door.h"
#include "routing/feed/history.h"
#include "routing/feed/peer.h"

namespace kg::feed {

struct PublisherCounts {
  uint64_t published = 0;
  uint64_t messages_sent = 0;  // parts of updates
  uint64_t bytes_sent = 0;
  uint64_t snapshots = 0;  // whole states that were begun
  uint64_t refusals = 0;   // updates that a proxy did not take
  uint64_t diverged = 0;   // states of proxies that were not what was sent
  uint64_t resyncs = 0;    // asked for anew on one connection
  // Keys that are not on the list, hellos of other protocols, what is asked too often.
  uint64_t denied = 0;
  uint64_t unreadable = 0;  // messages
  uint64_t dropped = 0;     // proxies that were full, stalled, silent or no longer allowed
  uint64_t facts_heard = 0;
  uint64_t facts_sent = 0;
  uint64_t facts_dropped = 0;  // over a rate, outside the sender's scope, or their reader is slow
};

class PublisherHandler {
 public:
  // Neither may publish from within: that is for a later turn.
  // Said by a proxy, within its scope, once for each fact.
  virtual void on_fact(const Fact& fact) = 0;
  virtual void on_refused(std::string_view proxy, Version version, std::string_view reason) = 0;

 protected:
  ~PublisherHandler() = default;
};

class Publisher final : SocketHandler {
 public:
  struct Options {
    std::vector<std::string> addresses;  // "tcp://0.0.0.0:9903"
    std::optional<KeyPair> keys;         // none only with plaintext
    bool plaintext = false;              // everybody who can connect sees everything
    AllowList allowed;
    uint64_t schema = kSchema;
    size_t narrow_peers_of_key = kNarrowPeersOfKeyMax;
  };
  struct Proxy {
    std::string name;
    std::string key;
    Version acknowledged;
    bool follows = false;
    size_t bytes_in_flight = 0;
  };
  Publisher(event::EventLoop& loop, PublisherHandler& handler, Options options);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  std::string start();  // "" or what is wrong
  // "", or why nothing was published. Versions only grow.
  std::string publish(Version version, std::vector<Change> changes);
  std::string publish_all(Version version, std::vector<std::shared_ptr<const Item>> items);
  // To all proxies that see it; the id is made here.
  void publish_fact(Fact fact);
  // Proxies whose key went, or whose scope changed, are cut off at once.
  void allow(AllowList allowed);

  Version version() const noexcept { return history_.version(); }
  const History& history() const noexcept { return history_; }
  // Of everything: what a proxy holds that may see it all.
  Digest digest() const noexcept { return everything_->digest(); }
  const PublisherCounts& counts() const noexcept { return counts_; }
  std::vector<Proxy> proxies() const;
  std::vector<std::string> bound_addresses() const;

 private:
  using Peers = std::unordered_map<std::string, std::unique_ptr<Peer>>;  // by routing id
  struct KeyGates {
    RateGate asks{kAsksPerSecond, kAsksAtOnce};
    RateGate facts{kFactsOfKeyPerSecond, kFactsOfKeyAtOnce};
  };

  void on_message(std::span<const std::string_view> frames, std::string_view user) override;
  void on_hello(const std::string& id, std::string_view user, const Scope& scope,
                const Hello& hello);
  void on_peer(const std::string& id, Peer& peer, Message& message);
  void on_fact(const std::string& id, Peer& peer, const Fact& fact);
  const Scope* scope_of(std::string_view user) const noexcept;
  bool has_place(std::string_view key, const Scope& scope) const;
  // Of a key that does not see everything; null for one that does.
  KeyGates* gates_of(std::string_view key, const Scope& scope);
  std::string after_publishing(std::string problem);
  bool send(const std::string& id, const Message& message);
  bool send(const std::string& id, std::string_view bytes);
  void deny(const std::string& id, std::string reason);
  bool pump(const std::string& id, Peer& peer, bool idle_too);
  void relay(const Fact& fact, const std::string& but);
  void drop(const std::string& id);
  // Asks of each peer; those of whom it says false are dropped.
  void for_each_peer(const std::function<bool(const std::string&, Peer&)>& visit);
  void tick();

  event::EventLoop& loop_;
  PublisherHandler& handler_;
  Options options_;
  Context context_;
  Door door_;
  std::unique_ptr<Socket> socket_;
  std::vector<std::string> bound_;
  History history_;
  std::shared_ptr<Audience> everything_;  // kept, because its digest costs a look at all items
  Peers peers_;
  std::map<std::string, KeyGates, std::less<>> gates_;  // by key, of the list
  // Of peers that were dropped, until the next heartbeat: whoever comes back at once costs no look
  // at all items.
  std::set<std::shared_ptr<Audience>> lingering_;
  SeenFacts seen_;
  PublisherCounts counts_;
  event::Timer timer_;
  uint64_t warn_again_us_ = 0;
};

}  // namespace kg::feed
