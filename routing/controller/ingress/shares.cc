#include "routing/controller/ingress/shares.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace kg::ingress {
namespace {

Amount least(const Amount& a, const Amount& b) noexcept {
  return {std::min(a.items, b.items), std::min(a.bytes, b.bytes)};
}

bool fits(const Amount& wanted, const Amount& room) noexcept {
  return wanted.items <= room.items && wanted.bytes <= room.bytes;
}

void add(Amount& sum, const Amount& more) noexcept {
  sum.items += more.items;
  sum.bytes += more.bytes;
}

void subtract(Amount& sum, const Amount& less) noexcept {
  sum.items -= less.items;
  sum.bytes -= less.bytes;
}

}  // namespace

size_t equal_share(size_t all, std::vector<size_t> wanted) {
  std::ranges::sort(wanted);
  size_t takers = wanted.size();
  for (const size_t one : wanted) {
    if (one > all / takers) return all / takers;
    all -= one;
    --takers;
  }
  return SIZE_MAX;
}

std::optional<Shares::Wish> Shares::take(Space& space, const ObjectRef& owner) {
  const auto known = space.created.find(owner);
  if (known == space.created.end()) return std::nullopt;
  const auto place = space.wishes.find({known->second, owner});
  const Wish wish = place->second;
  subtract(space.sum, wish.amount);
  if (wish.verdict != Verdict::kServed) --space.left_out;
  space.wishes.erase(place);
  space.created.erase(known);
  return wish;
}

void Shares::set(const ObjectRef& owner, const std::string& created, Amount wanted) {
  Space& space =
      spaces_.try_emplace(owner.name.space, Space{{}, {}, {}, {most_, bounds_.of_namespace}})
          .first->second;
  if (const auto known = space.wishes.find({created, owner});
      known != space.wishes.end() && known->second.amount == wanted)
    return;
  subtract(total_, least(space.sum, bounds_.of_namespace));
  const std::optional<Wish> before = take(space, owner);
  const bool is_wanted = wanted != Amount{};
  if (is_wanted) {
    const auto at = space.wishes.emplace(Place{created, owner}, Wish{wanted}).first;
    Wish& wish = at->second;
    space.created.emplace(owner, created);
    add(space.sum, wanted);
    const bool is_last = std::next(at) == space.wishes.end();
    if (before || !is_last || due_.contains(owner.name.space)) {
      if (before) wish.verdict = before->verdict;
      due_.insert(owner.name.space);
    } else {
      wish.verdict = admit(wanted, space.room);
    }
    if (wish.verdict != Verdict::kServed) ++space.left_out;
  } else {
    due_.insert(owner.name.space);
  }
  add(total_, least(space.sum, bounds_.of_namespace));
}

Shares::Verdict Shares::admit(const Amount& wanted, Room& room) noexcept {
  const bool fits_own = fits(wanted, room.own);
  if (fits_own) subtract(room.own, wanted);
  if (fits(wanted, room.now)) {
    subtract(room.now, wanted);
    return Verdict::kServed;
  }
  return fits_own ? Verdict::kAllFull : Verdict::kNamespaceFull;
}

Amount Shares::most_of_each() const {
  if (fits(total_, bounds_.of_all)) return bounds_.of_namespace;
  std::vector<size_t> items;
  std::vector<size_t> bytes;
  for (const auto& [name, space] : spaces_) {
    const Amount wanted = least(space.sum, bounds_.of_namespace);
    items.push_back(wanted.items);
    bytes.push_back(wanted.bytes);
  }
  return least(bounds_.of_namespace, {equal_share(bounds_.of_all.items, std::move(items)),
                                      equal_share(bounds_.of_all.bytes, std::move(bytes))});
}

void Shares::settle(std::set<ObjectRef>& changed) {
  const Amount before = std::exchange(most_, most_of_each());
  if (before != most_) {
    for (const auto& [name, space] : spaces_) due_.insert(name);
  }
  for (const std::string& name : std::exchange(due_, {})) {
    const auto at = spaces_.find(name);
    settle(at->second, changed);
    if (at->second.wishes.empty()) spaces_.erase(at);
  }
}

void Shares::settle(Space& space, std::set<ObjectRef>& changed) const {
  space.room = {most_, bounds_.of_namespace};
  if (space.left_out == 0 && fits(space.sum, most_)) {
    subtract(space.room.now, space.sum);
    subtract(space.room.own, space.sum);
    return;
  }
  space.left_out = 0;
  for (auto& [place, wish] : space.wishes) {
    const Verdict verdict = admit(wish.amount, space.room);
    if (verdict != wish.verdict) changed.insert(place.owner);
    if (verdict != Verdict::kServed) ++space.left_out;
    wish.verdict = verdict;
  }
}

Shares::Verdict Shares::verdict(const ObjectRef& owner) const {
  const auto space = spaces_.find(owner.name.space);
  if (space == spaces_.end()) return Verdict::kServed;
  const auto created = space->second.created.find(owner);
  if (created == space->second.created.end()) return Verdict::kServed;
  return space->second.wishes.at({created->second, owner}).verdict;
}

size_t Shares::left_out() const noexcept {
  size_t count = 0;
  for (const auto& [name, space] : spaces_) count += space.left_out;
  return count;
}

}  // namespace kg::ingress
