#include "routing/kernel_changes.h"

#include <algorithm>

#include "proxy/base/limits.h"

namespace kg::routing {

void KernelChanges::note_kernel(std::string_view id, bool made, uint64_t now_us) {
  const std::lock_guard lock(mutex_);
  changes_.push_back({std::string(id), made, now_us});
  if (changes_.size() <= limits::kKernelChangesKept) return;
  forgotten_us_ = changes_.front().at_us;
  changes_.pop_front();
}

std::optional<std::vector<KernelChanges::Change>> KernelChanges::since(uint64_t then_us) const {
  const std::lock_guard lock(mutex_);
  if (forgotten_us_ >= then_us && forgotten_us_ != 0) return std::nullopt;
  const auto first =
      std::find_if(changes_.begin(), changes_.end(),
                   [then_us](const Change& change) { return change.at_us >= then_us; });
  return std::vector<Change>(first, changes_.end());
}

}  // namespace kg::routing
