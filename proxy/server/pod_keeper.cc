#include "proxy/server/pod_keeper.h"

#include <algorithm>

#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::server {

void PodKeeper::adopt(const config::Config& config,
                      const std::vector<routing::EndpointRef>& endpoints) {
  cordons_.adopt(config.state_dir);
  for (const PodName& name : cordons_.cordons().all()) closed_us_.emplace(name, loop_.now_us());
  endpoints_.clear();
  add(endpoints);
  health_.apply(endpoints);
  census_.apply(endpoints);
}

void PodKeeper::edit(const std::vector<routing::EndpointRef>& gone,
                     const std::vector<routing::EndpointRef>& fresh) {
  for (const routing::EndpointRef& endpoint : gone) {
    const auto [first, last] = endpoints_.equal_range(endpoint->id);
    const auto found =
        std::find_if(first, last, [&](const auto& entry) { return entry.second == endpoint; });
    if (found != last) endpoints_.erase(found);
  }
  add(fresh);
  health_.edit(gone, fresh);
  census_.edit(gone, fresh);
}

void PodKeeper::add(const std::vector<routing::EndpointRef>& endpoints) {
  for (const routing::EndpointRef& endpoint : endpoints) {
    endpoints_.emplace(endpoint->id, endpoint);
  }
  close_cordoned(endpoints);
}

void PodKeeper::close_cordoned(const std::vector<routing::EndpointRef>& endpoints) const {
  for (const routing::EndpointRef& endpoint : endpoints) {
    for (const routing::Pod& pod : endpoint->pods) {
      pod.facts->set_cordoned(cordons_.cordons().has(endpoint->id, pod.name));
    }
  }
}

std::pair<const routing::Endpoint*, const routing::Pod*> PodKeeper::find(
    const PodName& name) const {
  const auto [first, last] = endpoints_.equal_range(name.first);
  for (auto entry = first; entry != last; ++entry) {
    for (const routing::Pod& pod : entry->second->pods) {
      if (pod.name == name.second) return {entry->second.get(), &pod};
    }
  }
  return {nullptr, nullptr};
}

PodActions::Outcome PodKeeper::cordon(const PodName& name) {
  const auto [endpoint, pod] = find(name);
  if (pod == nullptr) return Outcome::kUnknown;
  const bool news = !cordons_.cordons().has(name.first, name.second);
  if (!cordons_.add(name.first, name.second)) return Outcome::kNoRoom;
  if (!news) return Outcome::kDone;
  closed_us_[name] = loop_.now_us();
  pod->facts->set_cordoned(true);
  census_.hurry(*pod->facts, limits::kCordonSettleMs);
  log::info("pods", "pod closed for new kernels endpoint={} pod={}", name.first, name.second);
  audit(metrics::AuditEvent::kCordon, name);
  return Outcome::kDone;
}

PodActions::Outcome PodKeeper::uncordon(const PodName& name) {
  const auto [endpoint, pod] = find(name);
  const bool stood = cordons_.cordons().has(name.first, name.second);
  if (pod == nullptr && !stood) return Outcome::kUnknown;
  if (!stood) return Outcome::kDone;
  cordons_.remove(name.first, name.second);
  closed_us_.erase(name);
  if (pod != nullptr) pod->facts->set_cordoned(false);
  log::info("pods", "pod open for new kernels again endpoint={} pod={}", name.first, name.second);
  audit(metrics::AuditEvent::kUncordon, name);
  return Outcome::kDone;
}

// Only a list that was asked for when nothing was on its way to the pod any more can say so.
bool PodKeeper::is_empty(const PodName& name, const routing::Pod& pod) const {
  const auto closed = closed_us_.find(name);
  const std::optional<upstream::PodCount> count = census_.find(*pod.facts);
  if (closed == closed_us_.end() || !count || pod.facts->launches() > 0) return false;
  constexpr uint64_t kSettleUs = uint64_t{limits::kCordonSettleMs} * 1'000;
  return !count->launches_then && count->asked_us >= closed->second + kSettleUs &&
         count->kernels.kernels() == 0;
}

PodReport PodKeeper::report(const routing::Endpoint& endpoint, const routing::Pod& pod) const {
  const routing::PodFacts& facts = *pod.facts;
  const PodName name{endpoint.id, pod.name};
  PodReport out;
  out.endpoint = endpoint.id;
  out.pod = pod.name;
  out.virtual_cluster = endpoint.virtual_cluster;
  out.address = pod.address.text();
  out.takes_new = pod.takes_new();
  if (endpoint.health.enabled) out.healthy = facts.healthy();
  out.gone = facts.gone();
  out.cordoned = facts.cordoned();
  out.survives_restart = cordons_.survives_restart();
  out.restarts = facts.restarts();
  out.launches = facts.launches();
  out.websockets = facts.websockets();
  if (const std::optional<upstream::PodCount> count = census_.find(facts)) {
    out.kernels = count->kernels;
    out.kernels_age_ms = (loop_.now_us() - count->asked_us) / 1'000;
  }
  out.empty = is_empty(name, pod);
  return out;
}

PodReport PodKeeper::report_left(const PodName& name) const {
  PodReport out;
  out.endpoint = name.first;
  out.pod = name.second;
  out.configured = false;
  out.cordoned = cordons_.cordons().has(name.first, name.second);
  out.survives_restart = cordons_.survives_restart();
  return out;
}

std::vector<PodReport> PodKeeper::pods() const {
  std::vector<PodReport> out;
  for (const auto& [id, endpoint] : endpoints_) {
    for (const routing::Pod& pod : endpoint->pods) out.push_back(report(*endpoint, pod));
  }
  for (const PodName& name : cordons_.cordons().all()) {
    if (find(name).second == nullptr) out.push_back(report_left(name));
  }
  return out;
}

std::optional<PodReport> PodKeeper::pod(const PodName& name) const {
  const auto [endpoint, pod] = find(name);
  if (pod != nullptr) return report(*endpoint, *pod);
  if (cordons_.cordons().has(name.first, name.second)) return report_left(name);
  return std::nullopt;
}

void PodKeeper::audit(metrics::AuditEvent event, const PodName& name) const {
  metrics::AuditRecord record;
  record.time_us = event::wall_us();
  record.event = event;
  record.result = "ok";
  record.actor = "admin";
  record.endpoint = name.first;
  record.pod = name.second;
  logs_.audit(record);
}

void PodKeeper::add_facts(metrics::ProcessFacts& facts) const {
  facts.health = health_.counts();
  for (const auto& [id, endpoint] : endpoints_) {
    for (const routing::Pod& pod : endpoint->pods) {
      const routing::PodFacts& known = *pod.facts;
      metrics::PodFact& fact = facts.pods.emplace_back();
      fact.slot = endpoint->metrics_slot;
      fact.pod = pod.name;
      fact.checked = endpoint->health.enabled;
      fact.healthy = known.healthy();
      fact.gone = known.gone();
      fact.cordoned = known.cordoned();
      fact.restarts = known.restarts();
      fact.launches = known.launches();
      fact.websockets = known.websockets();
      if (const auto count = census_.find(known)) {
        fact.kernels = {count->kernels.busy, count->kernels.idle, count->kernels.other};
      }
    }
  }
}

}  // namespace kg::server
