#include "routing/known_kernels.h"

#include <utility>

namespace kg::routing {

void KnownKernels::learn(PodListRef list) {
  const std::lock_guard lock(mutex_);
  const PodList* now = known_.list.get();
  if (now != nullptr && (list->restarts < now->restarts || list->asked_us < now->asked_us)) return;
  known_.list.swap(list);  // the old one dies outside
  known_.rehomed_us = 0;
}

void KnownKernels::set_rehomed(uint64_t now_us) {
  const std::lock_guard lock(mutex_);
  known_.rehomed_us = now_us;
}

KnownKernels::Known KnownKernels::get() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

}  // namespace kg::routing
