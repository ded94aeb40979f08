#include "routing/controller/ingress/owners.h"

#include <algorithm>
#include <utility>

#include "routing/controller/ingress/rules.h"

namespace kg::ingress {
namespace {

bool is_wildcard(const std::string& key) { return key.starts_with("*."); }

// "" where there can be none: a path begins with a slash.
std::string key_above(const std::string& key) {
  return key.starts_with('/') ? "" : wildcard_of(key);
}

}  // namespace

const Owners::Name* Owners::find(const std::string& key) const {
  const auto found = names_.find(key);
  return found == names_.end() ? nullptr : &found->second;
}

const Owners::Name* Owners::above(const std::string& key) const {
  const std::string wildcard = key_above(key);
  return wildcard.empty() ? nullptr : find(wildcard);
}

const std::string& Owners::owner_of(const std::string& key) const {
  static const std::string nobody;
  const Name* name = find(key);
  return name == nullptr ? nobody : name->owner;
}

bool Owners::is_sealed(const std::string& key) const {
  const std::string& owner = owner_of(key);
  const auto seals = [&](const Name* name) {
    if (name == nullptr) return false;
    const auto space = name->spaces.find(owner);
    return space != name->spaces.end() && space->second.seals > 0;
  };
  return seals(find(key)) || seals(above(key));
}

void Owners::add(const std::string& key, const Claim& claim, bool is_sealed) {
  const auto [at, is_new] = names_.try_emplace(key);
  if (const std::string wildcard = key_above(key); is_new && !wildcard.empty())
    below_[wildcard].insert(key);
  at->second.claims.insert(claim);
  Space& space = at->second.spaces[claim.ingress.space];
  ++space.claims;
  if (is_sealed && ++space.seals == 1) seals_.emplace(key, claim.ingress.space);
  changed_.insert(key);
}

// A name that nobody claims any more stays until settle(): whose it was counts until then.
void Owners::remove(const std::string& key, const Claim& claim, bool is_sealed) {
  Name& name = names_.at(key);
  name.claims.erase(claim);
  const auto space = name.spaces.find(claim.ingress.space);
  if (is_sealed && --space->second.seals == 0) seals_.emplace(key, claim.ingress.space);
  if (--space->second.claims == 0) name.spaces.erase(space);
  changed_.insert(key);
}

void Owners::set(const ObjectName& ingress, const std::string& created, const Keys& keys) {
  Own& own = own_[ingress];
  const bool is_same = own.created == created;
  for (const auto& [key, is_sealed] : own.keys) {
    const auto kept = keys.find(key);
    if (is_same && kept != keys.end() && kept->second == is_sealed) continue;
    remove(key, {false, own.created, ingress}, is_sealed);
  }
  for (const auto& [key, is_sealed] : keys) {
    const auto known = own.keys.find(key);
    if (is_same && known != own.keys.end() && known->second == is_sealed) continue;
    add(key, {false, created, ingress}, is_sealed);
  }
  own = {created, keys};
  if (own.keys.empty()) own_.erase(ingress);
}

// If nothing were remembered of the key itself.
const std::string& Owners::by_age(const std::string& key, const Name& name) const {
  const Claim& oldest = *name.claims.begin();
  const auto first = firsts_.find(key_above(key));
  const bool is_theirs = first != firsts_.end() && first->second < oldest;
  return is_theirs ? first->second.ingress.space : oldest.ingress.space;
}

const std::string& Owners::choose(const std::string& key, const Name& name) const {
  const Name* wide = above(key);
  const auto may_have = [&](const std::string& space) {
    return name.spaces.contains(space) || (wide != nullptr && wide->owner == space);
  };
  const auto known = recalled_.find(key);
  if (known != recalled_.end() && may_have(known->second)) return known->second;
  if (may_have(name.owner)) return name.owner;
  const bool is_first = name.owner.empty();
  if (is_first && wide != nullptr && !new_.contains(key_above(key))) return wide->owner;
  return by_age(key, name);
}

// Those who name it, all of whom have another answer where that is its owner.
void Owners::touch(const std::string& key, const std::string& owner,
                   std::set<ObjectName>& touched) const {
  const Name* name = find(key);
  if (name == nullptr || name->owner != owner) return;
  for (const Claim& claim : name->claims) touched.insert(claim.ingress);
}

void Owners::settle_one(const std::string& key, std::set<ObjectName>& touched) {
  const auto at = names_.find(key);
  Name& name = at->second;
  if (name.claims.empty()) {
    if (const auto below = below_.find(key_above(key)); below != below_.end()) {
      below->second.erase(key);
      if (below->second.empty()) below_.erase(below);
    }
    names_.erase(at);
    exceptions_.erase(key);
    return;
  }
  std::string owner = choose(key, name);
  if (owner == by_age(key, name)) {
    exceptions_.erase(key);
  } else {
    exceptions_.insert(key);
  }
  if (owner == name.owner) return;
  name.owner = std::move(owner);
  if (is_wildcard(key)) new_.insert(key);
  touch(key, name.owner, touched);
}

// Whether another one speaks for the wildcard's owner than before, or nobody does.
bool Owners::settle_first(const std::string& key) {
  const Name* name = find(key);
  if (name == nullptr) return firsts_.erase(key) > 0;
  const auto is_owners = [&](const Claim& claim) { return claim.ingress.space == name->owner; };
  const Claim& first = *std::ranges::find_if(name->claims, is_owners);
  const auto [at, is_new] = firsts_.try_emplace(key, first);
  return is_new || std::exchange(at->second, first) != first;
}

// Returns those below that have to be looked at.
std::set<std::string> Owners::settle_wildcards(std::set<ObjectName>& touched) {
  std::set<std::string> below;
  const auto begin = changed_.lower_bound("*.");
  const auto end = std::find_if_not(begin, changed_.end(), is_wildcard);
  for (auto key = begin; key != end; ++key) {
    settle_one(*key, touched);
    if (!settle_first(*key)) continue;
    if (const auto hosts = below_.find(*key); hosts != below_.end())
      below.insert(hosts->second.begin(), hosts->second.end());
  }
  changed_.erase(begin, end);
  return below;
}

std::map<std::string, std::string> Owners::exceptions() const {
  std::map<std::string, std::string> out;
  for (const std::string& key : exceptions_) out.emplace(key, owner_of(key));
  return out;
}

void Owners::settle(std::set<ObjectName>& touched) {
  for (const auto& [key, space] : recalled_) {
    if (names_.contains(key)) changed_.insert(key);
  }
  // Wildcards first: what is below goes by them.
  changed_.merge(settle_wildcards(touched));
  for (const std::string& key : changed_) settle_one(key, touched);
  for (const auto& [key, space] : seals_) {
    touch(key, space, touched);
    const auto hosts = below_.find(key);
    if (hosts == below_.end()) continue;
    for (const std::string& host : hosts->second) touch(host, space, touched);
  }
  recalled_.clear();
  changed_.clear();
  new_.clear();
  seals_.clear();
}

}  // namespace kg::ingress
