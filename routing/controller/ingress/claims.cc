#include "routing/controller/ingress/claims.h"

#include <utility>

namespace kg::ingress {

std::optional<Claim> Claims::head(const std::string& key) const {
  const Claim* found = holder(key);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

const Claim* Claims::holder(const std::string& key) const {
  const auto found = claims_.find(key);
  return found == claims_.end() ? nullptr : &*found->second.begin();
}

std::vector<ObjectName> Claims::claimants(const std::string& key, size_t most) const {
  std::vector<ObjectName> out;
  const auto found = claims_.find(key);
  if (found == claims_.end()) return out;
  for (const Claim& claim : found->second) {
    if (out.size() == most) break;
    out.push_back(claim.ingress);
  }
  return out;
}

std::vector<Claims::Change> Claims::set(const ObjectName& ingress, const std::string& created,
                                        const Keys& keys) {
  std::map<std::string, Claim> wanted;
  for (const auto& [key, is_weak] : keys) wanted.emplace(key, Claim{is_weak, created, ingress});
  std::map<std::string, Claim>& own = own_[ingress];
  std::vector<Change> changes;
  const auto change = [&](const std::string& key, const Claim* remove, const Claim* add) {
    Change made{key, head(key), std::nullopt};
    std::set<Claim>& claims = claims_[key];
    if (remove != nullptr) claims.erase(*remove);
    if (add != nullptr) claims.insert(*add);
    if (claims.empty()) claims_.erase(key);
    made.after = head(key);
    if (made.before != made.after) changes.push_back(std::move(made));
  };
  for (const auto& [key, claim] : own) {
    const auto kept = wanted.find(key);
    if (kept == wanted.end()) {
      change(key, &claim, nullptr);
    } else if (kept->second != claim) {
      change(key, &claim, &kept->second);
    }
  }
  for (const auto& [key, claim] : wanted) {
    if (!own.contains(key)) change(key, nullptr, &claim);
  }
  own = std::move(wanted);
  if (own.empty()) own_.erase(ingress);
  return changes;
}

}  // namespace kg::ingress
