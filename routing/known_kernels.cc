#include "routing/known_kernels.h"

#include <utility>

namespace kg::routing {

void KnownKernels::learn(std::shared_ptr<const kernel::KernelList> list, uint64_t asked_us,
                         uint64_t restarts) {
  const std::lock_guard lock(mutex_);
  if (known_.list != nullptr && (restarts < known_.restarts || asked_us < known_.asked_us)) return;
  known_.list.swap(list);  // the old one dies outside
  known_.asked_us = asked_us;
  known_.restarts = restarts;
  known_.rehomed = false;
}

void KnownKernels::set_rehomed() {
  const std::lock_guard lock(mutex_);
  known_.rehomed = true;
}

KnownKernels::Known KnownKernels::get() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

}  // namespace kg::routing
