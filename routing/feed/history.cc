#include "routing/feed/history.h"

#include <algorithm>

#include "routing/feed/limits.h"

namespace kg::feed {
namespace {

constexpr size_t kEntryBytes = 128;  // of an entry or a change, besides text

bool same_item(const Item& a, const Item& b) noexcept {
  return a.scope_namespace == b.scope_namespace && a.endpoint == b.endpoint &&
         (a.payload == b.payload || *a.payload == *b.payload);
}

}  // namespace

std::string History::judge(Version version, const std::vector<Change>& changes) const {
  if (version <= version_) return "the version is not newer than the last one";
  size_t count = items_.size();
  size_t bytes = bytes_;
  const std::string* last = nullptr;
  for (const Change& change : changes) {
    const std::string& key = change.key();
    if (change.item != nullptr && !is_item(*change.item)) {
      return key.substr(0, kKeyBytesMax) + " has a name or a payload that is missing or too long";
    }
    if (key.empty() || key.size() > kKeyBytesMax) return "a key is empty or too long";
    if (last != nullptr && *last == key) return key + " is there twice";
    last = &key;
    const auto before = items_.find(key);
    if (before != items_.end()) {
      bytes -= bytes_of(*before->second);
      --count;
    }
    if (change.item != nullptr) {
      bytes += bytes_of(*change.item);
      ++count;
    }
  }
  if (count > kItemsMax) return "more than " + std::to_string(kItemsMax) + " items";
  if (bytes > kStateBytesMax) return "more than " + std::to_string(kStateBytesMax) + " bytes";
  return "";
}

std::string History::publish(Version version, std::vector<Change> changes) {
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return a.key() < b.key(); });
  if (std::string problem = judge(version, changes); !problem.empty()) return problem;
  Entry entry{version, kEntryBytes, {}};
  for (Change& change : changes) apply(std::move(change), entry);
  version_ = version;
  ring_bytes_ += entry.bytes;
  ring_.push_back(std::move(entry));
  while (ring_.size() > kRingEntriesMax || ring_bytes_ > kRingBytesMax) {
    ring_from_ = ring_.front().to;
    ring_bytes_ -= ring_.front().bytes;
    ring_.pop_front();
  }
  return "";
}

std::string History::publish_all(Version version, std::vector<std::shared_ptr<const Item>> items) {
  std::sort(items.begin(), items.end(),
            [](const auto& a, const auto& b) { return a->key < b->key; });
  std::vector<Change> changes;
  for (const auto& [key, item] : items_) {
    const auto at = std::lower_bound(items.begin(), items.end(), key,
                                     [](const auto& a, std::string_view b) { return a->key < b; });
    if (at == items.end() || (*at)->key != key) changes.push_back({nullptr, std::string(key)});
  }
  for (auto& item : items) changes.push_back({std::move(item), ""});
  return publish(version, std::move(changes));
}

void History::apply(Change change, Entry& entry) {
  const auto at = items_.find(change.key());
  const std::shared_ptr<const Item> before = at == items_.end() ? nullptr : at->second;
  const Item* after = change.item.get();
  if (before == nullptr && after == nullptr) return;
  if (before != nullptr && after != nullptr && same_item(*before, *after)) return;
  std::optional<ItemMark> old_mark;
  std::optional<ItemMark> new_mark;
  for (auto audience = audiences_.begin(); audience != audiences_.end();) {
    if (const auto known = audience->second.lock()) {
      known->changed(before.get(), after, old_mark, new_mark);
      ++audience;
    } else {
      audience = audiences_.erase(audience);
    }
  }
  Past past;
  if (before != nullptr) {
    past.before = Place{before->scope_namespace, before->endpoint};
    bytes_ -= bytes_of(*before);
    items_.erase(at);  // its key is the old item's
  }
  if (after != nullptr) {
    bytes_ += bytes_of(*after);
    items_.emplace(after->key, change.item);
  }
  entry.bytes += kEntryBytes + (after != nullptr ? bytes_of(*after) : change.gone.size());
  past.change = std::move(change);
  entry.changes.push_back(std::move(past));
}

std::optional<size_t> History::entry_behind(Version held) const noexcept {
  if (held == ring_from_) return 0;
  const auto at = std::lower_bound(ring_.begin(), ring_.end(), held,
                                   [](const Entry& a, const Version& b) { return a.to < b; });
  if (at == ring_.end() || at->to != held) return std::nullopt;
  return static_cast<size_t>(at - ring_.begin()) + 1;
}

std::shared_ptr<Audience> History::audience(const Scope& scope) {
  std::weak_ptr<Audience>& known = audiences_[scope];
  std::shared_ptr<Audience> audience = known.lock();
  if (audience == nullptr) {
    audience = std::make_shared<Audience>(*this, scope);
    known = audience;
  }
  return audience;
}

void History::forget_deltas() noexcept {
  for (const auto& [scope, known] : audiences_) {
    const auto audience = known.lock();
    if (audience == nullptr) continue;
    audience->delta_.reset();
    audience->latest_.reset();
  }
}

Audience::Audience(const History& history, Scope scope)
    : history_(history), scope_(std::move(scope)) {
  for (const auto& [key, item] : history.items_) {
    if (scope_.sees(*item)) digest_.add(ItemMark(*item));
  }
}

void Audience::changed(const Item* before, const Item* after, std::optional<ItemMark>& old_mark,
                       std::optional<ItemMark>& new_mark) noexcept {
  delta_.reset();
  if (before != nullptr && scope_.sees(*before)) {
    if (!old_mark) old_mark.emplace(*before);
    digest_.remove(*old_mark);
  }
  if (after != nullptr && scope_.sees(*after)) {
    if (!new_mark) new_mark.emplace(*after);
    digest_.add(*new_mark);
  }
}

std::shared_ptr<Parts> Audience::since(Version held) {
  if (delta_ != nullptr && delta_->content().from == held &&
      delta_->content().to == history_.version_) {
    return delta_;
  }
  const auto first = history_.entry_behind(held);
  if (!first) return nullptr;
  struct Last {
    const Change* change = nullptr;
    bool known = false;  // to this audience, at `held`
  };
  std::map<std::string_view, Last> merged;
  for (size_t i = *first; i < history_.ring_.size(); ++i) {
    for (const History::Past& past : history_.ring_[i].changes) {
      const auto [at, fresh] = merged.try_emplace(past.change.key());
      at->second.change = &past.change;
      if (fresh && past.before) {
        at->second.known = scope_.sees(past.before->scope_namespace, past.before->endpoint);
      }
    }
  }
  Content content{history_.schema_, held, history_.version_, digest(), {}};
  size_t bytes = 0;
  for (const auto& [key, last] : merged) {
    if (last.change->item != nullptr && scope_.sees(*last.change->item)) {
      bytes += bytes_of(*last.change->item);
      content.changes.push_back(*last.change);
    } else if (last.known) {
      bytes += key.size();
      content.changes.push_back({nullptr, std::string(key)});
    }
  }
  if (bytes > kDeltaBytesMax) return nullptr;
  delta_ = std::make_shared<Parts>(std::move(content));
  return delta_;
}

std::shared_ptr<Parts> Audience::whole() {
  std::erase_if(snapshots_, [](const auto& one) { return one.expired(); });
  // One that is being sent already, if those who get it will find what follows in the ring.
  std::shared_ptr<Parts> known = snapshots_.empty() ? nullptr : snapshots_.back().lock();
  if (known != nullptr && !known->retired()) {
    const auto behind = history_.entry_behind(known->content().to);
    if (behind && *behind >= history_.ring_.size() / 2) return known;
  }
  while (snapshots_.size() >= kSnapshotsAtATime) {
    if (const auto oldest = snapshots_.front().lock()) oldest->retire();
    snapshots_.erase(snapshots_.begin());
  }
  Content content{history_.schema_, std::nullopt, history_.version_, digest(), {}};
  for (const auto& [key, item] : history_.items_) {
    if (scope_.sees(*item)) content.changes.push_back({item, ""});
  }
  auto parts = std::make_shared<Parts>(std::move(content));
  snapshots_.push_back(parts);
  latest_ = parts;
  return parts;
}

std::shared_ptr<Parts> Audience::nothing_new(Version held) const {
  return std::make_shared<Parts>(Content{history_.schema_, held, history_.version_, digest(), {}});
}

}  // namespace kg::feed
