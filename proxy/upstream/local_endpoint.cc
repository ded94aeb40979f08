#include "proxy/upstream/local_endpoint.h"

#include <utility>

#include "proxy/base/crypto.h"
#include "routing/balancer.h"

namespace kg::upstream {

LocalEndpoint::LocalEndpoint(event::EventLoop& loop, metrics::WorkerMetrics& metrics,
                             routing::EndpointRef ref, size_t thread)
    : endpoint(std::move(ref)),
      counters(metrics.endpoint(endpoint->metrics_slot)),
      kernels(endpoint->pods.size()) {
  for (const routing::Pod& pod : endpoint->pods) {
    views_.push_back({.name = pod.name, .tag = pod.tag});
    if (pod.twin) counters.pod_twins.add();
    pods.push_back(std::make_unique<LocalPod>(loop, metrics, counters, *endpoint, pod, thread));
  }
}

LocalEndpoint::~LocalEndpoint() {
  for (const routing::Pod& pod : endpoint->pods) {
    if (pod.twin) counters.pod_twins.sub();
  }
}

std::span<routing::PodView> LocalEndpoint::view_pods() {
  for (size_t i = 0; i < pods.size(); ++i) {
    const routing::Pod& pod = pods[i]->pod;
    routing::PodView& view = views_[i];
    view.restarts = pod.facts->restarts();
    view.gone = pod.facts->gone();
    view.ready = pod.takes_new();
    view.listed = routing::Listed::kNotAsked;
  }
  return views_;
}

routing::Placement LocalEndpoint::place_by(std::string_view id, std::optional<uint32_t> tag,
                                           std::span<const routing::PodView> views) const {
  return routing::place({id, tag, kernels.find(id), endpoint->replication}, views);
}

// Where the tag says it all there is nothing to remember.
void LocalEndpoint::saw(std::string_view id, std::optional<uint32_t> tag, const LocalPod& pod,
                        uint64_t restarts) {
  pod.pod.facts->answered();
  if (!has_places() || (!endpoint->replication && tag == pod.pod.tag)) return;
  const auto index = static_cast<uint32_t>(&pod.pod - endpoint->pods.data());
  kernels.saw(id, {index, restarts});
}

LocalPod* LocalEndpoint::any(uint64_t now_us) noexcept {
  LocalPod* best = nullptr;
  for (size_t i = 0; i < pods.size(); ++i) {
    LocalPod* pod = pods[++turn_ % pods.size()].get();
    if (pod->ready(now_us)) return pod;
    if (best == nullptr || (best->pod.facts->gone() && !pod->pod.facts->gone())) best = pod;
  }
  return best;  // an endpoint's last pod is never left out
}

LocalPod* LocalEndpoint::choose(uint64_t tried, std::optional<uint64_t> key) const {
  std::vector<routing::PodLoad> loads;
  std::vector<uint32_t> tags;
  for (const auto& local : pods) {
    const routing::PodFacts& facts = *local->pod.facts;
    // An answer of an only pod says more than one of ours, whatever its health checks say.
    const bool open = pods.size() == 1 ? !facts.cordoned() : local->pod.takes_new();
    const bool left_out = (tried >> loads.size() & 1) != 0;
    // One that starts as many kernels as it may stands still, perhaps: others go on.
    const bool full = facts.launches() >= endpoint->launches_max;
    tags.push_back(local->pod.tag);
    loads.push_back(
        {open && !left_out, full || local->outlier.suspects(), facts.kernels(), facts.launches()});
  }
  uint64_t random = 0;
  crypto::random_bytes(&random, sizeof random);
  const auto chosen =
      key ? routing::choose_pod_for(loads, tags, *key) : routing::choose_pod(loads, random);
  return chosen ? pods[*chosen].get() : nullptr;
}

const char* LocalEndpoint::why_no_choice() const noexcept {
  for (const auto& local : pods) {
    if (!local->pod.facts->cordoned()) return "no pod takes new kernels";
  }
  return "all pods are cordoned";
}

void LocalEndpoint::close_idle() noexcept {
  for (const auto& local : pods) local->pool.close_idle();
}

EndpointPin& EndpointPin::operator=(EndpointPin&& other) noexcept {
  if (this != &other) {
    release();
    registry_ = other.registry_;
    local_ = std::exchange(other.local_, nullptr);
  }
  return *this;
}

void EndpointPin::release() noexcept {
  LocalEndpoint* local = std::exchange(local_, nullptr);
  if (local != nullptr && --local->pins == 0 && local->retired) registry_->drop(*local);
}

EndpointPin EndpointRegistry::pin(const routing::EndpointRef& endpoint) {
  auto& local = locals_[endpoint.get()];
  if (local == nullptr) local = std::make_unique<LocalEndpoint>(loop_, metrics_, endpoint, thread_);
  return {*this, *local};
}

void EndpointRegistry::retire_all() {
  for (auto entry = locals_.begin(); entry != locals_.end();) entry = retire(entry);
}

void EndpointRegistry::retire(const routing::Endpoint& endpoint) {
  const auto found = locals_.find(&endpoint);
  if (found != locals_.end()) retire(found);
}

EndpointRegistry::Locals::iterator EndpointRegistry::retire(Locals::iterator entry) {
  LocalEndpoint& local = *entry->second;
  local.retired = true;
  local.close_idle();
  if (local.pins > 0) return std::next(entry);
  loop_.defer_delete(std::move(entry->second));
  return locals_.erase(entry);
}

void EndpointRegistry::drop(LocalEndpoint& local) noexcept {
  const auto found = locals_.find(local.endpoint.get());
  if (found == locals_.end()) return;
  loop_.defer_delete(std::move(found->second));
  locals_.erase(found);
}

}  // namespace kg::upstream
