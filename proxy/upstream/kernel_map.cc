#include "proxy/upstream/kernel_map.h"

#include "proxy/base/limits.h"

namespace kg::upstream {

KernelMap::KernelMap(size_t pods) noexcept : most_(pods * limits::kKnownKernelsPerPod) {}

void KernelMap::saw(std::string_view id, routing::KnownAt at) {
  const auto found = known_.find(id);
  if (found != known_.end()) {
    found->second = at;
    return;
  }
  if (known_.size() >= most_) known_.erase(known_.begin());
  known_.emplace(id, at);
}

void KernelMap::forget(std::string_view id) {
  const auto found = known_.find(id);
  if (found != known_.end()) known_.erase(found);
}

std::optional<routing::KnownAt> KernelMap::find(std::string_view id) const {
  const auto found = known_.find(id);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

}  // namespace kg::upstream
