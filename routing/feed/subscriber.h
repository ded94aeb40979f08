// Subscriber: a proxy's end of the feed. It is connected to all controllers, follows the one with
// the newest version, and never goes back to an older one but by reset().
//
// An update is handed to its owner whole; one that the owner refuses, or that is not what its
// sender summed up, changes nothing and is reported. With no controller what is held stays, and is
// kept on disk for the next start.
// Owner:  whoever has a loop that does not serve clients: the network thread, or one of its own.
// Thread: the loop's; libzmq, the copy and look-ups of names have threads of their own.
// Limits: limits.h. Errors: sentences at start; afterwards counted, and logged where an operator
// can do something.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "routing/feed/copy_writer.h"
#include "routing/feed/facts.h"
#include "routing/feed/held_state.h"
#include "routing/feed/link.h"
#include "routing/feed/resolver.h"

namespace kg::feed {

struct SubscriberCounts {
  uint64_t updates = 0;     // that were accepted
  uint64_t snapshots = 0;   // of them, whole states
  uint64_t bytes = 0;       // of updates, taken or not
  uint64_t resyncs = 0;     // updates asked for anew, for one of these:
  uint64_t unreadable = 0;  // a checksum is wrong, or a message is none
  uint64_t older = 0;       // replayed, or of a former leader
  uint64_t gaps = 0;
  uint64_t diverged = 0;
  uint64_t too_large = 0;
  uint64_t schema = 0;   // one that this program does not read
  uint64_t refused = 0;  // by the owner
  uint64_t denied = 0;   // by a controller
  uint64_t behind = 0;   // the newest that is offered is older than what is held
  uint64_t facts_heard = 0;
  uint64_t facts_sent = 0;
  uint64_t facts_dropped = 0;  // no controller took it
};

struct SubscriberStatus {
  Version version;         // 0.0: none yet, or reset
  Digest digest{};         // of what is held
  bool from_copy = false;  // no controller has confirmed it yet
  uint64_t age_ms = 0;     // since it was known to be the newest, or since the start
  size_t items = 0;
  size_t bytes = 0;
  size_t controllers = 0;
  size_t connected = 0;
  uint64_t connections = 0;  // that were made so far
  std::string followed;      // address; "" none
  Version offered;           // the newest of all controllers; 0.0: none
  uint64_t copies_saved = 0;
  uint64_t copies_failed = 0;
};

class SubscriberHandler {
 public:
  // Neither may call the subscriber from within, but for publish_fact().
  // "" takes it; a reason refuses all of it. Keys come once; `whole`: what is not there is gone.
  virtual std::string on_update(Version version, std::span<const Item> upserts,
                                std::span<const std::string> deletes, bool whole) = 0;
  virtual void on_fact(const Fact& fact) = 0;

 protected:
  ~SubscriberHandler() = default;
};

class Subscriber final : LinkOwner {
 public:
  struct Options {
    std::vector<std::string> controllers;      // "HOST:PORT"
    std::string name;                          // what controllers call this proxy
    std::optional<KeyPair> keys;               // none only with plaintext
    std::vector<std::string> controller_keys;  // any of them is believed
    bool plaintext = false;
    uint64_t schema_low = kSchema;  // and the one before it, once there is one
    uint64_t schema_high = kSchema;
    std::string copy_file;  // "" for none
    LookUp look_up = feed::look_up;
  };
  Subscriber(event::EventLoop& loop, SubscriberHandler& handler, Options options);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // Hands over the copy from disk, if there is one, and connects. "" or what is wrong with options.
  std::string start();
  // Says it to every replica, through each controller; the id is made here. False: nobody heard.
  bool publish_fact(Fact fact);
  // What this proxy's key may see and speak for. Null: no controller is there to say so.
  const Scope* scope() const noexcept;
  // Whatever version controllers offer next is taken, an older one too. What is held serves until
  // then.
  void reset();

  const SubscriberCounts& counts() const noexcept { return counts_; }
  SubscriberStatus status() const;

 private:
  Version held() const override { return state_.version(); }
  void on_offer(Link& link) override;
  void on_update(Link& link, Update update, size_t bytes) override;
  void on_unreadable(Link& link, const char* problem) override;
  void on_denied(Link& link, std::string_view reason) override;
  void on_fact(Fact fact) override;

  std::string check_options();
  void load();
  void adopt(const Addresses& addresses);
  void remove(std::map<std::string, std::unique_ptr<Link>>::iterator at);
  void choose();
  void offer_to_owner(Link& link, uint64_t part);
  void resync(Link& link, bool whole);
  void sync_again();
  std::string ask_owner();
  void save_soon();

  event::EventLoop& loop_;
  SubscriberHandler& handler_;
  Options options_;
  Link::Options link_options_;
  std::vector<Controller> controllers_;
  Context context_;
  HeldState state_;
  bool from_copy_ = false;
  std::map<std::string, std::unique_ptr<Link>> links_;  // by address
  Link* followed_ = nullptr;
  uint64_t gone_connections_ = 0;  // of links that are no more
  event::Deadline resync_;
  uint32_t resync_ms_ = 0;
  bool whole_wanted_ = false;
  Version behind_;  // the last offer that was older than what is held
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<CopyWriter> copy_;
  event::Deadline save_;
  uint64_t saved_us_ = 0;
  SeenFacts seen_;
  SubscriberCounts counts_;
  uint64_t current_us_;
};

}  // namespace kg::feed
