#include "routing/controller/ingress/publication.h"

#include <algorithm>
#include <utility>

namespace kg::ingress {

void Publication::stage(const ObjectRef& owner, std::vector<feed::Item> items) {
  staged_.insert_or_assign(owner, std::move(items));
}

Publication::Difference Publication::finish() {
  Difference difference;
  Items outdated;
  for (const auto& [owner, items] : staged_) withdraw(owner, items, outdated);
  for (auto& [owner, items] : staged_) {
    std::vector<std::string> keys;
    for (feed::Item& item : items) {
      keys.push_back(item.key);
      publish(owner, std::move(item), outdated, difference);
    }
    if (!keys.empty()) keys_.emplace(owner, std::move(keys));
  }
  staged_.clear();
  for (const auto& [key, gone] : outdated) difference.removed.push_back(key);
  return difference;
}

void Publication::withdraw(const ObjectRef& owner, const std::vector<feed::Item>& items,
                           Items& outdated) {
  const auto known = keys_.find(owner);
  if (known == keys_.end()) return;
  for (const std::string& key : known->second) {
    if (std::ranges::find(items, key, &feed::Item::key) != items.end()) continue;
    const auto found = current_.find(key);
    if (found == current_.end() || found->second.owner != owner) continue;
    outdated.insert(current_.extract(found));
  }
  keys_.erase(known);
}

// A key that goes from one object to another is an update, and none where the payload is the same.
void Publication::publish(const ObjectRef& owner, feed::Item item, Items& outdated,
                          Difference& difference) {
  if (const auto moved = outdated.find(item.key); moved != outdated.end())
    current_.insert(outdated.extract(moved));
  const auto [place, is_new] = current_.try_emplace(item.key, Current{item, owner});
  Current& current = place->second;
  current.owner = owner;
  if (!is_new && *current.item.payload == *item.payload) return;
  current.item = item;
  difference.items.push_back(std::move(item));
}

std::vector<feed::Item> Publication::items() const {
  std::vector<feed::Item> out;
  out.reserve(current_.size());
  for (const auto& [key, current] : current_) out.push_back(current.item);
  return out;
}

const feed::Item* Publication::item(const std::string& key) const {
  const auto found = current_.find(key);
  return found == current_.end() ? nullptr : &found->second.item;
}

const ObjectRef* Publication::owner_of(const std::string& key) const {
  const auto found = current_.find(key);
  return found == current_.end() ? nullptr : &found->second.owner;
}

}  // namespace kg::ingress
