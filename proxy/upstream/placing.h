// Placing: finds the pod of one kernel where somebody has to be asked first: the lists of the pods,
// then, with replication, the pod itself by a revival (routing/placement.h says when).
//
//   Asking lists --> Reviving --> told          (either may be left out)
//
// A pod's own list is asked for as others ask for it, so that many who look for kernels share one.
// Owner:  the exchange. Thread: the worker's. Dies between turns.
// Limits: kPlacingListsMs for the lists; whose has not come by then counts as failed. kRevivalMs.
// Errors: kNoKernel, kKernelLost (its pod is gone), kKernelUnplaced (nobody can say now); those of
//         Revivals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/upstream/local_endpoint.h"

namespace kg::upstream {

struct WantedKernel {
  std::string id;
  std::optional<uint32_t> tag;  // of its pod, if it was minted here
  bool loads_itself = false;    // what is asked of it makes a gateway load it: no revival before
};

class PlacingOwner {
 public:
  virtual void on_placed(const Result<LocalPod*>& pod) = 0;

 protected:
  ~PlacingOwner() = default;
};

class Placing final : public event::Deferred, private RevivalWaiter {
 public:
  Placing(event::EventLoop& loop, LocalEndpoint& endpoint, WantedKernel wanted,
          PlacingOwner& owner);
  ~Placing() override { stop(); }

  // Its pod or an error if that is known at once; else the owner is told later, once.
  std::optional<Result<LocalPod*>> begin();
  // Nothing is told from now on.
  void stop() noexcept;

 private:
  // One pod's list, as this kernel sees it.
  struct Asked final : KernelListWaiter {
    Placing* owner = nullptr;
    uint64_t restarts = 0;  // when it was asked
    routing::Listed listed = routing::Listed::kNotAsked;
    bool waiting = false;
    void on_kernel_list(const Result<PodListRef>& list) override;
  };

  std::optional<Result<LocalPod*>> step();
  void ask_lists();
  void stop_lists() noexcept;
  void on_deadline();
  Result<void> revive(uint32_t pod);
  Result<LocalPod*> found(uint32_t pod);
  void on_revival(const Result<void>& there) override;
  void go_on();

  LocalEndpoint& endpoint_;
  WantedKernel wanted_;
  PlacingOwner& owner_;
  event::Deadline deadline_;
  std::vector<Asked> asked_;        // by pod; empty: no list was asked for
  LocalPod* reviving_ = nullptr;    // waits for it
  uint64_t reviving_restarts_ = 0;  // when it was asked
};

// What a placement without a pod means to whoever wanted the kernel.
Error placement_error(const routing::Placement& placement);

}  // namespace kg::upstream
