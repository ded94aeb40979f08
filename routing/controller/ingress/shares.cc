#include "routing/controller/ingress/shares.h"

#include <algorithm>
#include <utility>
#include <vector>

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

// The largest share that all can have who want so much or more, the others having what they want.
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

}  // namespace

void Shares::take(Space& space, const ObjectRef& owner) {
  const auto known = space.created.find(owner);
  if (known == space.created.end()) return;
  const auto place = space.wanted.find({known->second, owner});
  subtract(space.sum, place->second);
  space.wanted.erase(place);
  space.created.erase(known);
}

void Shares::set(const ObjectRef& owner, const std::string& created, Amount wanted,
                 std::set<ObjectRef>& changed) {
  const auto [at, is_new] = spaces_.try_emplace(owner.name.space);
  Space& space = at->second;
  subtract(total_, least(space.sum, bounds_.of_namespace));
  take(space, owner);
  if (wanted != Amount{}) {
    space.wanted.emplace(Place{created, owner}, wanted);
    space.created.emplace(owner, created);
    add(space.sum, wanted);
  }
  add(total_, least(space.sum, bounds_.of_namespace));
  const Amount before = std::exchange(most_, most_of_each());
  if (before == most_) {
    settle(space, changed);
  } else {
    for (auto& [name, other] : spaces_) {
      if (&other == &space || !fits(other.sum, least(before, most_))) settle(other, changed);
    }
  }
  if (space.wanted.empty()) spaces_.erase(at);
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

void Shares::settle(Space& space, std::set<ObjectRef>& changed) const {
  std::map<ObjectRef, Verdict> out;
  if (!fits(space.sum, most_)) {
    Amount room = most_;
    Amount own = bounds_.of_namespace;  // what there would be without the others
    for (const auto& [place, wanted] : space.wanted) {
      const bool fits_own = fits(wanted, own);
      if (fits_own) subtract(own, wanted);
      if (fits(wanted, room)) {
        subtract(room, wanted);
      } else {
        out.emplace(place.owner, fits_own ? Verdict::kAllFull : Verdict::kNamespaceFull);
      }
    }
  }
  for (const auto& [owner, verdict] : space.out) {
    const auto now = out.find(owner);
    if (now == out.end() || now->second != verdict) changed.insert(owner);
  }
  for (const auto& [owner, verdict] : out) {
    if (!space.out.contains(owner)) changed.insert(owner);
  }
  space.out = std::move(out);
}

Shares::Verdict Shares::verdict(const ObjectRef& owner) const {
  const auto space = spaces_.find(owner.name.space);
  if (space == spaces_.end()) return Verdict::kServed;
  const auto found = space->second.out.find(owner);
  return found == space->second.out.end() ? Verdict::kServed : found->second;
}

size_t Shares::left_out() const noexcept {
  size_t count = 0;
  for (const auto& [name, space] : spaces_) count += space.out.size();
  return count;
}

}  // namespace kg::ingress
