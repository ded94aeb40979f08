#include "proxy/upstream/placing.h"

#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"

namespace kg::upstream {

using routing::Listed;
using routing::Placement;

namespace {

Listed look_for(std::string_view id, const PodList& list) noexcept {
  return list.kernels.find(id) != nullptr ? Listed::kHas : Listed::kHasNot;
}

}  // namespace

Error placement_error(const Placement& placement) {
  switch (placement.step) {
    case Placement::Step::kNowhere:
      return {placement.lost ? ErrorCode::kKernelLost : ErrorCode::kNoKernel, placement.why, 0};
    default:
      return {ErrorCode::kKernelUnplaced, placement.why, 0};
  }
}

Placing::Placing(event::EventLoop& loop, LocalEndpoint& endpoint, WantedKernel wanted,
                 PlacingOwner& owner)
    : endpoint_(endpoint),
      wanted_(std::move(wanted)),
      owner_(owner),
      deadline_(loop, [this] { on_deadline(); }) {}

void Placing::stop_lists() noexcept {
  deadline_.clear();
  for (size_t i = 0; i < asked_.size(); ++i) {
    if (std::exchange(asked_[i].waiting, false)) endpoint_.pods[i]->lists.cancel(asked_[i]);
  }
}

void Placing::stop() noexcept {
  stop_lists();
  LocalPod* reviving = std::exchange(reviving_, nullptr);
  if (reviving != nullptr) reviving->revivals.cancel(*this);
}

std::optional<Result<LocalPod*>> Placing::begin() { return step(); }

std::optional<Result<LocalPod*>> Placing::step() {
  for (;;) {
    const std::span<routing::PodView> pods = endpoint_.view_pods();
    for (size_t i = 0; i < asked_.size(); ++i) pods[i].listed = asked_[i].listed;
    const Placement placement = endpoint_.place_by(wanted_.id, wanted_.tag, pods);
    switch (placement.step) {
      case Placement::Step::kGo:
        return found(placement.pod);
      case Placement::Step::kRevive: {
        if (wanted_.loads_itself) return found(placement.pod);
        const Result<void> asked = revive(placement.pod);
        if (!asked) return Result<LocalPod*>(asked.error());
        return std::nullopt;
      }
      case Placement::Step::kAskLists:
        if (!asked_.empty()) return std::nullopt;  // those that are missing will come
        ask_lists();
        continue;
      case Placement::Step::kNowhere:
      case Placement::Step::kUnsure:
        return Result<LocalPod*>(placement_error(placement));
    }
  }
}

void Placing::ask_lists() {
  asked_.resize(endpoint_.pods.size());
  deadline_.set_ms(limits::kPlacingListsMs);
  for (size_t i = 0; i < asked_.size(); ++i) {
    Asked& asked = asked_[i];
    LocalPod& pod = *endpoint_.pods[i];
    asked.owner = this;
    asked.restarts = pod.pod.facts->restarts();
    if (pod.pod.facts->gone()) continue;
    const Result<PodListRef> list = pod.lists.get(asked);
    asked.waiting = list.has_value() && *list == nullptr;
    if (!asked.waiting) asked.listed = list ? look_for(wanted_.id, **list) : Listed::kFailed;
  }
}

void Placing::Asked::on_kernel_list(const Result<PodListRef>& list) {
  waiting = false;
  listed = list ? look_for(owner->wanted_.id, **list) : Listed::kFailed;
  owner->go_on();
}

void Placing::on_deadline() {
  for (size_t i = 0; i < asked_.size(); ++i) {
    if (std::exchange(asked_[i].waiting, false)) endpoint_.pods[i]->lists.cancel(asked_[i]);
    if (asked_[i].listed == Listed::kNotAsked) asked_[i].listed = Listed::kFailed;
  }
  go_on();
}

Result<void> Placing::revive(uint32_t pod) {
  stop_lists();
  LocalPod& local = *endpoint_.pods[pod];
  reviving_restarts_ = local.pod.facts->restarts();
  const Result<void> asked = local.revivals.ask(wanted_.id, *this);
  if (asked) reviving_ = &local;
  return asked;
}

void Placing::on_revival(const Result<void>& there) {
  LocalPod& pod = *std::exchange(reviving_, nullptr);
  if (there) {
    if (wanted_.tag && *wanted_.tag != pod.pod.tag) {
      endpoint_.counters.kernels_rehomed.add();
      endpoint_.endpoint->kernel_changes->note();  // whoever looks for it now finds it in a list
    }
    endpoint_.saw(wanted_.id, wanted_.tag, pod, reviving_restarts_);
    return owner_.on_placed(&pod);
  }
  if (there.error().code == ErrorCode::kNoKernel) endpoint_.kernels.forget(wanted_.id);
  owner_.on_placed(there.error());
}

// Where its list has the kernel, that much is known from now on.
Result<LocalPod*> Placing::found(uint32_t pod) {
  LocalPod& local = *endpoint_.pods[pod];
  if (!asked_.empty() && asked_[pod].listed == Listed::kHas) {
    endpoint_.saw(wanted_.id, wanted_.tag, local, asked_[pod].restarts);
  }
  return &local;
}

void Placing::go_on() {
  const auto done = step();
  if (!done) return;
  stop();
  owner_.on_placed(*done);
}

}  // namespace kg::upstream
