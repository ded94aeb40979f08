#include "routing/feed/held_state.h"

#include <set>
#include <utility>

#include "proxy/base/assert.h"
#include "routing/feed/limits.h"

namespace kg::feed {

Content HeldState::content() const {
  Content content{schema_, std::nullopt, version_, digest_value_, {}};
  content.changes.reserve(items_.size());
  for (const auto& [key, item] : items_) content.changes.push_back({item, ""});
  return content;
}

Staged HeldState::stage(Update part) {
  // The whole of the same version is another view of it: what this proxy may see has changed.
  const bool older = part.to < version_ || (part.to == version_ && part.from);
  if (older || part.to == Version()) return Staged::kOlder;
  const bool first = part.part == 0;
  if (first && part.from && *part.from != version_) return Staged::kGap;
  if (!first && (!staging_ || part.part != next_part_ || part.to != staged_.to ||
                 part.from != staged_.from)) {
    return Staged::kGap;
  }
  if (first) {
    discard();
    staging_ = true;
    staged_.schema = part.schema;
    staged_.from = part.from;
    staged_.to = part.to;
  }
  ++next_part_;
  for (Item& item : part.upserts) {
    staged_bytes_ += bytes_of(item);
    staged_.upserts.push_back(std::move(item));
  }
  for (std::string& key : part.deletes) {
    staged_bytes_ += key.size();
    staged_.deletes.push_back(std::move(key));
  }
  if (staged_bytes_ > kStateBytesMax ||
      staged_.upserts.size() + staged_.deletes.size() > kItemsMax) {
    return Staged::kTooLarge;
  }
  return part.digest ? finish(*part.digest) : Staged::kMore;
}

// What the state would be is known by its digest, before anything of it changes.
Staged HeldState::finish(const Digest& said) {
  const bool whole = !staged_.from;
  next_digest_ = whole ? StateDigest() : digest_;
  size_t count = whole ? 0 : items_.size();
  size_t bytes = whole ? 0 : bytes_;
  std::set<std::string_view> keys;
  const auto leave = [&](std::string_view key) {
    const auto before = whole ? items_.end() : items_.find(key);
    if (before == items_.end()) return;
    next_digest_.remove(ItemMark(*before->second));
    bytes -= bytes_of(*before->second);
    --count;
  };
  for (const std::string& key : staged_.deletes) {
    if (!keys.insert(key).second) return Staged::kDiverged;
    leave(key);
  }
  for (const Item& item : staged_.upserts) {
    if (!keys.insert(item.key).second) return Staged::kDiverged;
    leave(item.key);
    next_digest_.add(ItemMark(item));
    bytes += bytes_of(item);
    ++count;
  }
  if (count > kItemsMax || bytes > kStateBytesMax) return Staged::kTooLarge;
  if (next_digest_.value() != said) return Staged::kDiverged;
  staged_.digest = said;
  next_bytes_ = bytes;
  return Staged::kReady;
}

void HeldState::accept() {
  KG_ASSERT(staging_ && staged_.digest);
  if (!staged_.from) items_.clear();
  for (const std::string& key : staged_.deletes) items_.erase(key);
  for (Item& item : staged_.upserts) {
    std::string key = item.key;
    items_.insert_or_assign(std::move(key), std::make_shared<const Item>(std::move(item)));
  }
  version_ = staged_.to;
  schema_ = staged_.schema;
  digest_ = next_digest_;
  digest_value_ = *staged_.digest;
  bytes_ = next_bytes_;
  discard();
}

void HeldState::discard() noexcept {
  staging_ = false;
  next_part_ = 0;
  staged_bytes_ = 0;
  staged_ = Update();
}

}  // namespace kg::feed
