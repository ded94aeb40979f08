#include "routing/controller/run/gate.h"

#include <algorithm>
#include <set>
#include <utility>

#include "proxy/base/log.h"
#include "routing/announced_certificate.h"

namespace kg::controller {

bool Gate::try_items(const std::vector<feed::Item>& items, size_t most) {
  const size_t end = tried_.size() + std::min(most, items.size() - tried_.size());
  while (tried_.size() < end) tried_.push_back(check_.check(items[tried_.size()]));
  return tried_.size() == items.size();
}

void Gate::pass(std::vector<feed::Item>& items, std::vector<std::string>& removed) {
  try_items(items, SIZE_MAX);
  std::vector<routing::Checked> tried = std::exchange(tried_, {});
  for (const std::string& key : removed) {
    good_.erase(key);
    refused_.erase(key);
  }
  std::vector<std::string> claims;
  std::vector<feed::Item> passed;
  for (size_t i = 0; i < items.size(); ++i) {
    feed::Item& item = items[i];
    if (!tried[i].problem.empty()) {
      refused_.insert_or_assign(item.key, std::move(tried[i].problem));
      continue;
    }
    refused_.erase(item.key);
    claims.insert(claims.end(), tried[i].claims.begin(), tried[i].claims.end());
    good_.insert_or_assign(item.key, Good{item, std::move(tried[i].claims)});
    passed.push_back(std::move(item));
  }
  items = std::move(passed);
  if (!refused_.empty()) withdraw_clashing(claims, removed);
}

// `claims`: of what comes now.
void Gate::withdraw_clashing(const std::vector<std::string>& claims,
                             std::vector<std::string>& removed) {
  const std::set<std::string> taken(claims.begin(), claims.end());
  for (const auto& [key, problem] : refused_) {
    const auto held = good_.find(key);
    if (held == good_.end()) continue;
    const bool clashes = std::ranges::any_of(
        held->second.claims, [&](const std::string& claim) { return taken.contains(claim); });
    if (!clashes) continue;
    log::error("ingress", "{} is withdrawn: another object has a part of what it was", key);
    good_.erase(held);
    removed.push_back(key);
  }
}

size_t Gate::certificates() const {
  size_t count = 0;
  for (auto good = good_.lower_bound(std::string(routing::kCertificateKey));
       good != good_.end() && good->first.starts_with(routing::kCertificateKey); ++good) {
    ++count;
  }
  return count;
}

std::vector<feed::Item> Gate::items() const {
  std::vector<feed::Item> out;
  out.reserve(good_.size());
  for (const auto& [key, good] : good_) out.push_back(good.item);
  return out;
}

}  // namespace kg::controller
