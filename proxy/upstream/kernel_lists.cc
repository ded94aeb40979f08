#include "proxy/upstream/kernel_lists.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/kernel/kernel_id.h"
#include "proxy/upstream/local_pod.h"

namespace kg::upstream {
namespace {

std::atomic<uint64_t> sources{0};

}  // namespace

KernelLists::KernelLists(event::EventLoop& loop, LocalPod& pod)
    : loop_(loop),
      pod_(pod),
      source_(++sources),
      request_(loop, pod, *this),
      reloads_(pod.revivals, *this),
      deadline_(loop, [this] {
        request_.cancel();
        finish(Error{ErrorCode::kUpstreamTimeout, "no list of kernels in time", 0});
      }) {}

KernelLists::~KernelLists() {
  KG_ASSERT(waiting_.empty());  // each of them pins the endpoint
}

bool KernelLists::is_fresh(const PodList& list) const noexcept {
  return !adopted_ && list.changes == pod_.endpoint.kernel_changes->count() &&
         list.restarts == pod_.pod.facts->restarts() &&
         loop_.now_us() - list.asked_us < uint64_t{limits::kKernelListFreshMs} * 1'000;
}

// The list in flight will know of all that happened until now.
bool KernelLists::is_current() const noexcept {
  return !adopted_ && changes_ == pod_.endpoint.kernel_changes->count() &&
         restarts_ == pod_.pod.facts->restarts();
}

Result<PodListRef> KernelLists::get(KernelListWaiter& waiter) {
  if (last_ != nullptr && is_fresh(*last_)) return last_;
  if (!runs()) {
    const Result<void> begun = begin();
    if (!begun) return begun.error();
  }
  waiting_.push_back({&waiter, is_current() ? round_ : round_ + 1});
  return PodListRef();
}

void KernelLists::cancel(KernelListWaiter& waiter) noexcept {
  waiting_.remove_if([&](const Waiting& waiting) { return waiting.waiter == &waiter; });
}

PodListRef KernelLists::last_known() const {
  PodListRef known = pod_.pod.facts->known().get().list;
  if (known == nullptr) return nullptr;
  const uint64_t until_us = known->asked_us + uint64_t{pod_.endpoint.list_stale_ms} * 1'000;
  return loop_.now_us() < until_us ? known : nullptr;
}

void KernelLists::adopt(std::vector<std::string> ids) {
  reloads_.want(std::move(ids));
  adopted_ = true;
}

uint64_t KernelLists::waited_us() const noexcept { return runs() ? loop_.now_us() - begun_us_ : 0; }

Result<void> KernelLists::begin() {
  ++round_;
  begun_us_ = loop_.now_us();
  if (pod_.endpoint.replication) reload_known();
  adopted_ = false;
  if (!reloads_.pending()) return ask();
  changes_ = pod_.endpoint.kernel_changes->count();
  restarts_ = pod_.pod.facts->restarts();
  return reloads_.begin();
}

Result<void> KernelLists::ask() {
  asked_us_ = loop_.now_us();
  changes_ = pod_.endpoint.kernel_changes->count();
  restarts_ = pod_.pod.facts->restarts();
  const Result<void> begun = request_.begin(pod_.endpoint.gateway_token);
  if (begun) deadline_.set_ms(limits::kListMs);
  return begun;
}

std::vector<std::string> KernelLists::known_ids() const {
  std::vector<std::string> ids;
  const PodListRef known = pod_.pod.facts->known().get().list;
  if (known == nullptr) return ids;
  for (const kernel::ListedKernel& kernel : known->kernels.kernels()) ids.emplace_back(kernel.id);
  const auto changes = pod_.endpoint.kernel_changes->since(known->asked_us);
  if (!changes) return ids;
  for (const routing::KernelChanges::Change& change : *changes) {
    std::erase(ids, change.id);
    if (change.made) ids.push_back(change.id);
  }
  return ids;
}

// What was here before a restart.
void KernelLists::reload_known() {
  const uint64_t restarts = pod_.pod.facts->restarts();
  const PodListRef known = pod_.pod.facts->known().get().list;
  if (reloaded_ == restarts || known == nullptr || known->restarts >= restarts) return;
  reloaded_ = restarts;
  std::vector<std::string> ids = known_ids();
  std::erase_if(ids, [this](const std::string& id) { return !belongs_here(id); });
  if (ids.empty()) return;
  log::info("kernels",
            "loading what the pod held before it restarted endpoint={} pod={} kernels={}",
            pod_.endpoint.id, pod_.pod.name, ids.size());
  reloads_.want(std::move(ids));
}

// Gateways also list copies of what others hold; asked for one they would load it here.
bool KernelLists::belongs_here(std::string_view id) const {
  const auto parsed = kernel::parse_kernel_id(id);
  if (!parsed) return true;
  for (const routing::Pod& pod : pod_.endpoint.pods) {
    if (pod.tag == parsed->pod_tag && !pod.twin) return &pod == &pod_.pod || pod.facts->gone();
  }
  return true;
}

void KernelLists::on_reloaded(const Result<void>& all) {
  const Result<void> asked = all ? ask() : all;
  if (!asked) finish(asked.error());
}

void KernelLists::on_list_answer(Result<std::string> body) {
  if (!body) return finish(body.error());
  // It may be that of an empty memory.
  if (pod_.endpoint.replication && restarts_ != pod_.pod.facts->restarts()) {
    --round_;
    missing_.clear();
    const Result<void> begun = begin();
    if (!begun) finish(begun.error());
    return;
  }
  auto kernels = kernel::KernelList::read(std::move(body).value());
  if (!kernels) {
    pod_.failed(ErrorCode::kUpstreamProtocol, loop_.now_us());
    return finish(Error{ErrorCode::kUpstreamProtocol, kUnreadableList, 0});
  }
  if (pod_.endpoint.replication) {
    const Result<void> asked = ask_for_missing(*kernels);
    if (!asked) return finish(asked.error());
    if (runs()) return;
  }
  finish(keep(*std::move(kernels)));
}

// Once for each list. The one behind these questions has what was lost.
Result<void> KernelLists::ask_for_missing(const kernel::KernelList& kernels) {
  if (!missing_.empty()) {
    look_for_missing(kernels);
    return {};
  }
  const PodListRef known = pod_.pod.facts->known().get().list;
  if (known == nullptr || known->restarts != restarts_ || known->asked_us >= asked_us_) return {};
  missing_ = known_ids();
  std::erase_if(missing_, [&](const std::string& id) {
    return kernels.find(id) != nullptr || !belongs_here(id);
  });
  if (missing_.empty()) return {};
  reloads_.want(missing_);
  return reloads_.begin();
}

// A kernel that was loaded again had not ended: whatever else the pod held has to be loaded too.
void KernelLists::look_for_missing(const kernel::KernelList& kernels) {
  const bool lost = std::any_of(missing_.begin(), missing_.end(),
                                [&](const std::string& id) { return kernels.find(id) != nullptr; });
  if (!lost) return;
  if (pod_.pod.facts->note_restart_since(restarts_)) {
    log::info("upstream", "pod has restarted endpoint={} pod={} reason=\"it had lost {} kernels\"",
              pod_.endpoint.id, pod_.pod.name, missing_.size());
  }
  ++restarts_;  // this list is of after that
}

PodListRef KernelLists::keep(kernel::KernelList kernels) {
  kernels.follow(last_ != nullptr ? &last_->kernels : nullptr, ++serial_);
  last_ = std::make_shared<const PodList>(
      PodList{std::move(kernels), source_, serial_, asked_us_, changes_, restarts_});
  pod_.pod.facts->known().learn(last_);
  return last_;
}

void KernelLists::finish(const Result<PodListRef>& list) {
  deadline_.clear();
  missing_.clear();
  tell(list);
  // Those who came after a change wait for a list of their own.
  while (!runs() && !waiting_.empty()) {
    const Result<void> begun = begin();
    if (!begun) tell(begun.error());
  }
}

// Whoever is told may ask again, or cancel for others.
void KernelLists::tell(const Result<PodListRef>& list) {
  const uint64_t told = round_;
  const auto is_told = [told](const Waiting& waiting) { return waiting.round <= told; };
  for (;;) {
    const auto next = std::find_if(waiting_.begin(), waiting_.end(), is_told);
    if (next == waiting_.end()) return;
    KernelListWaiter& waiter = *next->waiter;
    waiting_.erase(next);
    waiter.on_kernel_list(list);
  }
}

}  // namespace kg::upstream
