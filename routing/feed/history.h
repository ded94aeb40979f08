// History: the state of the feed and what changed lately; Audience: the same as one scope sees it.
//
// Owner:  the Publisher; audiences are shared by the peers of a scope. Thread: one. Pure.
// Limits: kItemsMax and kStateBytesMax; the ring of changes kRingEntriesMax and kRingBytesMax;
//         old states kSnapshotsAtATime for each scope that has peers, while they are being sent.
// Errors: a publication that breaks a rule changes nothing and is answered by a sentence.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/feed/message.h"
#include "routing/feed/parts.h"
#include "routing/feed/scope.h"
#include "routing/feed/state_digest.h"

namespace kg::feed {

class Audience;

class History {
 public:
  explicit History(uint64_t schema = kSchema) : schema_(schema) {}
  // "", or why not; each key once. Changes that change nothing are left out.
  std::string publish(Version version, std::vector<Change> changes);
  // The whole state anew, as a new leader has it: the difference is published.
  std::string publish_all(Version version, std::vector<std::shared_ptr<const Item>> items);

  const Version& version() const noexcept { return version_; }
  uint64_t schema() const noexcept { return schema_; }
  size_t items() const noexcept { return items_.size(); }
  size_t bytes() const noexcept { return bytes_; }
  size_t ring_entries() const noexcept { return ring_.size(); }
  std::shared_ptr<Audience> audience(const Scope& scope);
  // What was made for several proxies at once has been sent to them.
  void forget_deltas() noexcept;

 private:
  friend class Audience;
  struct Place {
    std::string scope_namespace;
    std::string endpoint;
  };
  struct Past {
    Change change;
    std::optional<Place> before;  // where the key was before, if it was
  };
  struct Entry {
    Version to;
    size_t bytes = 0;
    std::vector<Past> changes;
  };
  std::string judge(Version version, const std::vector<Change>& changes) const;
  void apply(Change change, Entry& entry);
  // Which entry comes behind `held`; nullopt: not known any more, or never.
  std::optional<size_t> entry_behind(Version held) const noexcept;

  uint64_t schema_;
  Version version_;
  std::map<std::string_view, std::shared_ptr<const Item>> items_;  // by the item's own key
  size_t bytes_ = 0;
  std::deque<Entry> ring_;
  Version ring_from_;  // before its first entry
  size_t ring_bytes_ = 0;
  std::map<Scope, std::weak_ptr<Audience>> audiences_;
};

class Audience {
 public:
  Audience(const History& history, Scope scope);

  const Scope& scope() const noexcept { return scope_; }
  Version version() const noexcept { return history_.version(); }
  Digest digest() const noexcept { return digest_.value(); }
  // What it may see of all since `held`; null: more than kDeltaBytesMax, or not known any more.
  std::shared_ptr<Parts> since(Version held);
  // The whole of what it may see, at a version that since() still knows.
  std::shared_ptr<Parts> whole();
  // For one who holds what is true now, under another version.
  std::shared_ptr<Parts> nothing_new(Version held) const;

 private:
  friend class History;
  void changed(const Item* before, const Item* after, std::optional<ItemMark>& old_mark,
               std::optional<ItemMark>& new_mark) noexcept;

  const History& history_;
  Scope scope_;
  StateDigest digest_;
  std::shared_ptr<Parts> delta_;                 // the last one that was asked for
  std::shared_ptr<Parts> latest_;                // of snapshots_: asked for again, it is there
  std::vector<std::weak_ptr<Parts>> snapshots_;  // oldest first
};

}  // namespace kg::feed
