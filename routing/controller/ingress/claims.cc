#include "routing/controller/ingress/claims.h"

#include <utility>

namespace kg::ingress {

const Claim* Claims::holder(const std::string& key) const {
  const auto found = contests_.find(key);
  return found == contests_.end() ? nullptr : found->second.holder;
}

std::vector<ObjectName> Claims::claimants(const std::string& key, size_t most) const {
  std::vector<ObjectName> out;
  const auto found = contests_.find(key);
  if (found == contests_.end()) return out;
  for (const Claim& claim : found->second.claims) {
    if (out.size() == most) break;
    out.push_back(claim.ingress);
  }
  return out;
}

Claims::Contest& Claims::open(const std::string& key) {
  Contest& contest = contests_[key];
  const auto [at, is_new] = changed_.try_emplace(key);
  if (is_new && contest.holder != nullptr) at->second = contest.holder->ingress;
  return contest;
}

void Claims::remove(const std::string& key, const Claim& claim) {
  Contest& contest = open(key);
  const auto found = contest.claims.find(claim);
  if (contest.holder == &*found) contest.holder = nullptr;
  contest.claims.erase(found);
}

void Claims::add(const std::string& key, Claim claim, bool held) {
  Contest& contest = open(key);
  const Claim& added = *contest.claims.insert(std::move(claim)).first;
  if (held) contest.holder = &added;
}

void Claims::set(const ObjectName& ingress, const Metadata& meta, const Keys& keys) {
  Own& own = own_[ingress];
  const bool is_same = own.uid == meta.uid && own.created == meta.created;
  std::set<std::string> held;  // of those that are claimed in another way now
  for (const auto& [key, is_weak] : own.keys) {
    const auto kept = keys.find(key);
    if (is_same && kept != keys.end() && kept->second == is_weak) continue;
    const Claim* before = holder(key);
    if (own.uid == meta.uid && before != nullptr && before->ingress == ingress) held.insert(key);
    remove(key, {is_weak, own.created, ingress});
  }
  for (const auto& [key, is_weak] : keys) {
    const auto known = own.keys.find(key);
    if (is_same && known != own.keys.end() && known->second == is_weak) continue;
    add(key, {is_weak, meta.created, ingress}, held.contains(key));
  }
  own = {meta.uid, meta.created, keys};
  if (own.keys.empty()) own_.erase(ingress);
}

std::map<std::string, Holder> Claims::exceptions() const {
  std::map<std::string, Holder> out;
  for (const std::string& key : exceptions_) {
    const ObjectName& ingress = holder(key)->ingress;
    out.emplace(key, Holder{ingress, own_.at(ingress).uid});
  }
  return out;
}

const Claim* Claims::recalled(const std::string& key, const Contest& contest) const {
  const auto known = recalled_.find(key);
  if (known == recalled_.end()) return nullptr;
  const auto own = own_.find(known->second.ingress);
  if (own == own_.end() || own->second.uid != known->second.uid) return nullptr;
  const auto claimed = own->second.keys.find(key);
  if (claimed == own->second.keys.end()) return nullptr;
  return &*contest.claims.find({claimed->second, own->second.created, own->first});
}

std::vector<Claims::Change> Claims::settle() {
  for (const auto& [key, holder] : recalled_) {
    if (contests_.contains(key)) open(key);
  }
  std::vector<Change> changes;
  for (auto& [key, before] : std::exchange(changed_, {})) {
    const auto at = contests_.find(key);
    Contest& contest = at->second;
    if (contest.claims.empty()) {
      contests_.erase(at);
      exceptions_.erase(key);
      if (before) changes.push_back({key, std::move(before)});
      continue;
    }
    const Claim& oldest = *contest.claims.begin();
    if (const Claim* known = recalled(key, contest)) contest.holder = known;
    const bool keeps = contest.holder != nullptr && (oldest.is_weak || !contest.holder->is_weak);
    if (!keeps) contest.holder = &oldest;
    if (contest.holder == &oldest) {
      exceptions_.erase(key);
    } else {
      exceptions_.insert(key);
    }
    if (contest.holder->ingress != before) changes.push_back({key, std::move(before)});
  }
  recalled_.clear();
  return changes;
}

}  // namespace kg::ingress
