#include "proxy/upstream/local_endpoint.h"

#include <utility>

namespace kg::upstream {

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
