#include "proxy/upstream/local_endpoint.h"

#include <utility>

#include "proxy/base/log.h"

namespace kg::upstream {
namespace {

// What the pod, not its application, did to a request. Our own deadlines are not among them: a
// kernel start may be slow on a pod that is well.
bool blames_the_pod(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kUpstreamConnect:
    case ErrorCode::kUpstreamConnectTimeout:
    case ErrorCode::kUpstreamTls:
    case ErrorCode::kUpstreamReset:
    case ErrorCode::kUpstreamProtocol:
    case ErrorCode::kUpstreamGone:
      return true;
    default:
      return false;
  }
}

}  // namespace

LocalEndpoint::~LocalEndpoint() {
  if (outlier.suspects()) counters.pod_suspect.sub();
}

void LocalEndpoint::answered(uint16_t status, uint64_t now_us) {
  if (status >= 502 && status <= 504) return suspect("a gateway's error status", now_us);
  if (!outlier.on_success()) return;
  counters.pod_suspect.sub();
  log::info("upstream", "pod answers again endpoint={} pod={}", endpoint->id, endpoint->pod.name);
}

void LocalEndpoint::failed(ErrorCode code, uint64_t now_us) {
  if (blames_the_pod(code)) suspect(error_row(code).label, now_us);
}

void LocalEndpoint::suspect(std::string_view last, uint64_t now_us) {
  if (!outlier.on_failure(now_us)) return;
  counters.pod_suspect.add();
  counters.pod_suspected.add();
  log::warn("upstream", "pod suspected endpoint={} pod={} failures={} last=\"{}\"", endpoint->id,
            endpoint->pod.name, outlier.failures_in_a_row(), last);
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
  for (auto entry = locals_.begin(); entry != locals_.end();) {
    LocalEndpoint& local = *entry->second;
    local.retired = true;
    local.pool.close_idle();
    if (local.pins > 0) {
      ++entry;
      continue;
    }
    loop_.defer_delete(std::move(entry->second));
    entry = locals_.erase(entry);
  }
}

void EndpointRegistry::drop(LocalEndpoint& local) noexcept {
  const auto found = locals_.find(local.endpoint.get());
  if (found == locals_.end()) return;
  loop_.defer_delete(std::move(found->second));
  locals_.erase(found);
}

}  // namespace kg::upstream
