// ListVerdicts: which kernels of a pod's list a caller may use, remembered from one list to the
// next. Judging an id costs some hashes; a caller polls, and of a list of 10,000 kernels a handful
// are his and two are new since he asked last: only those are judged.
//
// Owner:  the worker's context. Thread: the worker's.
// Limits: kListVerdictsMax callers and pods, kListVerdictIdsMax ids that some may use; then those
//         go that asked longest ago.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/exchange/kernel_access.h"
#include "proxy/upstream/kernel_lists.h"

namespace kg::exchange {

class ListVerdicts {
 public:
  struct Allowed {
    std::string id;
    bool own = false;  // by its tags; else only because foreign ids may pass
  };
  using Kernels = std::vector<const kernel::ListedKernel*>;

  // Those of the list that whom `access` is for may use, or owns; in the list's order.
  Kernels usable(const upstream::PodList& list, KernelAccess& access);
  Kernels owned(const upstream::PodList& list, KernelAccess& access);
  size_t callers() const noexcept { return callers_.size(); }

 private:
  struct Caller {
    std::string key;
    uint64_t judged = 0;  // PodList::serial of the last list that was looked through
    std::vector<Allowed> allowed;
  };
  const Caller& look_through(const upstream::PodList& list, KernelAccess& access);
  Caller& caller(const upstream::PodList& list, const KernelAccess& access);
  void make_room();

  std::shared_ptr<const kernel::KernelIdKeys> keys_;  // by which was judged
  std::list<Caller> callers_;                         // who asked last comes first
  std::unordered_map<std::string_view, std::list<Caller>::iterator> by_key_;
  size_t ids_ = 0;
};

}  // namespace kg::exchange
