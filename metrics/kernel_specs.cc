#include "metrics/kernel_specs.h"

#include <algorithm>

namespace kg::metrics {

void KernelSpecs::started(std::string_view kernel_id, std::string_view spec) {
  const std::lock_guard lock(mutex_);
  const uint32_t slot = slot_for(spec.empty() ? "default" : spec);
  const auto [entry, fresh] = kernels_.insert_or_assign(std::string(kernel_id), slot);
  if (!fresh) return;
  oldest_.push_back(entry->first);
  if (oldest_.size() <= kKernelsMax) return;
  kernels_.erase(oldest_.front());
  oldest_.pop_front();
}

uint32_t KernelSpecs::slot_of(std::string_view kernel_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = kernels_.find(std::string(kernel_id));
  return found == kernels_.end() ? 0 : found->second;
}

std::vector<std::string> KernelSpecs::names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

uint32_t KernelSpecs::slot_for(std::string_view spec) {
  const auto found = std::find(names_.begin(), names_.end(), spec);
  if (found != names_.end()) return static_cast<uint32_t>(found - names_.begin());
  if (names_.size() == kSpecSlots) return 0;
  names_.emplace_back(spec);
  return static_cast<uint32_t>(names_.size() - 1);
}

}  // namespace kg::metrics
