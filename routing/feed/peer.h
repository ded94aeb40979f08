// Peer: one proxy as the publisher sees it: how far it is, and what it may be sent next.
//
// It keeps no queue: what a proxy has not been sent is looked up in the history when it has credit
// again, so changes that pile up meanwhile become one update, and a proxy that is too far behind
// gets the whole state. Credit: kPartsInFlight parts and kBytesInFlight bytes unacknowledged.
// Owner: the Publisher. Thread: one. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "routing/feed/facts.h"
#include "routing/feed/history.h"
#include "routing/feed/limits.h"
#include "routing/feed/message.h"

namespace kg::feed {

class Peer {
 public:
  Peer(std::string key, std::string name, std::shared_ptr<Audience> audience)
      : key_(std::move(key)), name_(std::move(name)), audience_(std::move(audience)) {}

  void on_sync(const Sync& sync, uint64_t now_us);
  void on_rest() noexcept;
  // False: what it holds is not what it was sent.
  bool on_ack(const Ack& ack, uint64_t now_us);
  // False: it was not sent that.
  bool on_refuse(const Refuse& refuse) noexcept;
  // Of a peer that it takes the place of: a second Hello is no way around them.
  void take_rates(const Peer& before) noexcept {
    facts = before.facts;
    syncs = before.syncs;
  }
  // The next message; null: nothing to say or no credit. Versions in which nothing concerns it are
  // told only with `idle_too`.
  std::shared_ptr<const std::string> next(bool idle_too, uint64_t now_us);

  const std::string& key() const noexcept { return key_; }  // z85; "" in plaintext
  const std::string& name() const noexcept { return name_; }
  const std::shared_ptr<Audience>& audience() const noexcept { return audience_; }
  const Scope& scope() const noexcept { return audience_->scope(); }
  bool follows() const noexcept { return follows_; }
  const Version& acknowledged() const noexcept { return acknowledged_; }
  bool stalled(uint64_t now_us) const noexcept;
  size_t bytes_in_flight() const noexcept { return bytes_in_flight_; }
  uint64_t snapshots() const noexcept { return snapshots_; }

  uint64_t heard_us = 0;
  uint64_t facts_sent = 0;
  uint64_t facts_seen = 0;
  RateGate facts{kFactsPerSecond, kFactsAtOnce};
  RateGate syncs{kSyncsPerSecond, kSyncsAtOnce};

 private:
  struct Sent {
    Version to;
    uint64_t part;
    size_t bytes;
    bool last;
    Digest digest;
  };
  bool choose_content(bool idle_too);
  void begin(std::shared_ptr<Parts> content) noexcept;

  std::string key_;
  std::string name_;
  std::shared_ptr<Audience> audience_;
  bool follows_ = false;
  uint64_t round_ = 0;
  Version cursor_;        // what it holds when it has taken all that was sent
  Version acknowledged_;  // what it said it holds
  Version refused_;       // not sent again
  bool whole_wanted_ = false;
  std::shared_ptr<Parts> content_;  // being sent
  uint64_t part_ = 0;               // of it, next
  std::deque<Sent> in_flight_;
  size_t bytes_in_flight_ = 0;
  uint64_t progress_us_ = 0;
  uint64_t snapshots_ = 0;
};

}  // namespace kg::feed
