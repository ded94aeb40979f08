#include "proxy/exchange/list_verdicts.h"

#include <algorithm>
#include <functional>

#include "proxy/base/limits.h"

namespace kg::exchange {
namespace {

using Kernels = ListVerdicts::Kernels;

// Of the list, those that are among `allowed`, in the list's order.
Kernels in_order(const kernel::KernelList& list, const std::vector<ListVerdicts::Allowed>& allowed,
                 bool own_only) {
  Kernels kernels;
  for (const ListVerdicts::Allowed& one : allowed) {
    const kernel::ListedKernel* found = one.own || !own_only ? list.find(one.id) : nullptr;
    if (found != nullptr) kernels.push_back(found);
  }
  std::sort(kernels.begin(), kernels.end(), std::less<>());  // they stand in one array
  return kernels;
}

}  // namespace

Kernels ListVerdicts::usable(const upstream::PodList& list, KernelAccess& access) {
  return in_order(list.kernels, look_through(list, access).allowed, false);
}

Kernels ListVerdicts::owned(const upstream::PodList& list, KernelAccess& access) {
  return in_order(list.kernels, look_through(list, access).allowed, true);
}

const ListVerdicts::Caller& ListVerdicts::look_through(const upstream::PodList& list,
                                                       KernelAccess& access) {
  if (access.keys() != keys_) {
    keys_ = access.keys();
    by_key_.clear();
    callers_.clear();
    ids_ = 0;
  }
  Caller& known = caller(list, access);
  if (list.serial <= known.judged) return known;
  std::vector<Allowed>& allowed = known.allowed;
  ids_ -= allowed.size();
  std::erase_if(allowed, [&](const Allowed& one) { return list.kernels.find(one.id) == nullptr; });
  for (const kernel::ListedKernel& kernel : list.kernels.kernels()) {
    if (kernel.since <= known.judged) continue;
    if (access.may_use(kernel.id) != KernelAccess::Answer::kAllowed) continue;
    allowed.push_back({std::string(kernel.id), access.owns(kernel.id)});
  }
  known.judged = list.serial;
  ids_ += allowed.size();
  make_room();
  return known;
}

ListVerdicts::Caller& ListVerdicts::caller(const upstream::PodList& list,
                                           const KernelAccess& access) {
  std::string key = std::to_string(list.source) + ' ' + access.caller();
  const auto known = by_key_.find(key);
  if (known != by_key_.end()) {
    callers_.splice(callers_.begin(), callers_, known->second);
  } else {
    callers_.push_front({std::move(key), 0, {}});
    by_key_.emplace(callers_.front().key, callers_.begin());
  }
  return callers_.front();
}

void ListVerdicts::make_room() {
  while (callers_.size() > 1 &&
         (callers_.size() > limits::kListVerdictsMax || ids_ > limits::kListVerdictIdsMax)) {
    ids_ -= callers_.back().allowed.size();
    by_key_.erase(callers_.back().key);
    callers_.pop_back();
  }
}

}  // namespace kg::exchange
