#include "proxy/server/renewal_teller.h"

#include <vector>

namespace kg::server {

bool RenewalTeller::is_news(const auth::Mark& subject, const Where& where, int64_t expires_at) {
  if (known_.size() >= kRenewalsRemembered) known_.clear();
  Known& known = known_[{where, subject}];
  const uint64_t now_us = loop_.now_us();
  if (expires_at <= known.expires_at && now_us < known.at_us + kRenewalSilenceUs) return false;
  known = {expires_at, now_us};
  return true;
}

void RenewalTeller::note(const auth::Principal& principal, const auth::Place& place) {
  const Where where(place.virtual_cluster, place.endpoint);
  const auth::SessionMarks marks = auth::marks_of(principal, place.endpoint);
  if (where.first.empty() || pending_count_ >= kRenewalsPending ||
      !is_news(marks.subject, where, principal.expires_at)) {
    return;
  }
  const auto [at, is_first] = pending_.try_emplace(where);
  if (is_first) order_.push_back(where);
  const routing::Renewal renewal{marks.subject, marks.token, marks.session, principal.issued_at,
                                 principal.expires_at};
  if (at->second.insert_or_assign(marks.subject, renewal).second) ++pending_count_;
  if (waits_) return;
  waits_ = true;
  timer_.arm_ms(kRenewalTellMs);
}

void RenewalTeller::hear(std::span<const routing::Renewal> renewals, const auth::Place& place) {
  const Where where(place.virtual_cluster, place.endpoint);
  for (const routing::Renewal& one : renewals) is_news(one.subject, where, one.expires_at);
}

void RenewalTeller::flush() {
  waits_ = false;
  uint32_t pause_ms = kRenewalTellMs;
  for (size_t facts = 0; facts < kRenewalFactsAtOnce && !order_.empty(); ++facts) {
    if (!tell_some(order_.front())) {
      pause_ms = kRenewalRetryMs;
      break;
    }
    const auto at = pending_.find(order_.front());
    if (at->second.empty()) {
      pending_.erase(at);
    } else {
      order_.push_back(order_.front());  // a large endpoint holds up no other
    }
    order_.pop_front();
  }
  if (order_.empty()) return;
  waits_ = true;
  timer_.arm_ms(pause_ms);
}

bool RenewalTeller::tell_some(const Where& where) {
  std::map<auth::Mark, routing::Renewal>& renewals = pending_.at(where);
  std::vector<routing::Renewal> some;
  for (auto at = renewals.begin(); at != renewals.end() && some.size() < routing::kRenewalsPerFact;
       ++at) {
    some.push_back(at->second);
  }
  if (!tell_({where.first, where.second}, some)) return false;
  for (const routing::Renewal& one : some) renewals.erase(one.subject);
  pending_count_ -= some.size();
  return true;
}

}  // namespace kg::server
