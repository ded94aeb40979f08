// KnownKernels: the last list of a pod that counted, whichever thread asked for it. It serves every
// worker in the place of a list that does not come; and a gateway that lost its memory and shares
// its kernels' records lists only what it is asked to load again: these.
//
// Owner:  the PodFacts. Thread: any. Changed once a second and worker at most.
// Limits: one list, of kListBytesMax.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "proxy/kernel/kernel_list.h"

namespace kg::routing {

// Immutable, shared by threads.
struct PodList {
  kernel::KernelList kernels;
  uint64_t source = 0;    // tells those apart who ask
  uint64_t serial = 0;    // counts the lists of one, from 1
  uint64_t asked_us = 0;  // monotonic
  uint64_t changes = 0;   // KernelChanges::count() when it was asked for
  uint64_t restarts = 0;  // PodFacts::restarts() then
};
using PodListRef = std::shared_ptr<const PodList>;

class KnownKernels {
 public:
  struct Known {
    PodListRef list;  // null: none yet
    // The pod is gone, and others have loaded them: their lists are whole from here on. Monotonic;
    // 0: they have not.
    uint64_t rehomed_us = 0;
  };

  // Unless a younger one is known.
  void learn(PodListRef list);
  void set_rehomed(uint64_t now_us);
  Known get() const;

 private:
  mutable std::mutex mutex_;
  Known known_;
};

}  // namespace kg::routing
