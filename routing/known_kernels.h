// KnownKernels: the last list of a pod that counted, whichever thread asked for it. A gateway that
// lost its memory and shares its kernels' records lists only what it is asked to load again: these.
//
// Owner:  the PodFacts. Thread: any. Changed once a second at most, and only with `replication`.
// Limits: one list, of kListBytesMax.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "proxy/kernel/kernel_list.h"

namespace kg::routing {

class KnownKernels {
 public:
  struct Known {
    std::shared_ptr<const kernel::KernelList> list;  // null: none yet
    uint64_t asked_us = 0;                           // monotonic
    uint64_t restarts = 0;                           // PodFacts::restarts() then
    bool rehomed = false;  // the pod is gone, and others were made to load them
  };

  // Unless a younger one is known.
  void learn(std::shared_ptr<const kernel::KernelList> list, uint64_t asked_us, uint64_t restarts);
  void set_rehomed();
  Known get() const;

 private:
  mutable std::mutex mutex_;
  Known known_;
};

}  // namespace kg::routing
