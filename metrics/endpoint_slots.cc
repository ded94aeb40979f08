#include "metrics/endpoint_slots.h"

namespace kg::metrics {

// An endpoint that is really called other/other shares slot 0: a series must not appear twice.
EndpointSlots::EndpointSlots(uint32_t max)
    : max_(max), slots_{{{"other", "other"}, 0}}, names_{{"other", "other"}} {}

uint32_t EndpointSlots::slot_for(const std::string& virtual_cluster, const std::string& endpoint) {
  const std::lock_guard lock(mutex_);
  const auto known = slots_.find({virtual_cluster, endpoint});
  if (known != slots_.end()) return known->second;
  if (names_.size() > max_) return 0;
  const auto slot = static_cast<uint32_t>(names_.size());
  slots_.emplace(std::pair(virtual_cluster, endpoint), slot);
  names_.push_back({endpoint, virtual_cluster});
  return slot;
}

std::vector<EndpointName> EndpointSlots::names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

}  // namespace kg::metrics
