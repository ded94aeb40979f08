// KernelLists: one worker's view of the kernels on a pod, asked for by the worker itself with the
// endpoint's own token.
//
// A gateway that lost its memory lists nothing until it is asked for each kernel, if it shares
// their records at all (`replication`): the kernels that are known there (routing/known_kernels.h)
// are loaded again before its list counts. So are those that a list lacks and the one before had:
// they have ended, or the gateway restarted unseen. A list is shared by all who want one within
// kKernelListFreshMs; only one is in flight. One that was asked for before this process made or
// deleted a kernel of the endpoint (KernelChanges), or before the pod may have restarted, is shared
// no more. The last one, whichever worker asked for it, is kept for those who rather show that than
// nothing.
// Owner:  the LocalPod. Thread: the worker's.
// Limits: kListBytesMax, kListEntriesMax; kListMs until the whole answer.
// Errors: those of ListRequest and Reloads; kUpstreamTimeout; kUpstreamProtocol for a list that
//         cannot be judged entry by entry.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/event/watcher.h"
#include "proxy/kernel/kernel_list.h"
#include "proxy/upstream/list_request.h"
#include "proxy/upstream/reloads.h"
#include "routing/known_kernels.h"

namespace kg::upstream {

inline constexpr const char* kUnreadableList = "a list that cannot be judged";

using routing::PodList;
using routing::PodListRef;

class KernelListWaiter {
 public:
  virtual void on_kernel_list(const Result<PodListRef>& list) = 0;

 protected:
  ~KernelListWaiter() = default;
};

class KernelLists final : private ListRequestOwner, private ReloadsOwner {
 public:
  KernelLists(event::EventLoop& loop, LocalPod& pod);
  ~KernelLists();
  KernelLists(const KernelLists&) = delete;
  KernelLists& operator=(const KernelLists&) = delete;

  // At once, or null: then `waiter` is told later, once, unless it cancels.
  Result<PodListRef> get(KernelListWaiter& waiter);
  void cancel(KernelListWaiter& waiter) noexcept;
  // The last one that came to any worker, if it is not older than list_stale_ms; else null.
  PodListRef last_known() const;
  // What any thread knows to be here, put right by what this process did since.
  std::vector<std::string> known_ids() const;
  // These have to be loaded here before a list counts.
  void adopt(std::vector<std::string> ids);
  // How long the list is on its way that is waited for; 0 if none is.
  uint64_t waited_us() const noexcept;

 private:
  struct Waiting {
    KernelListWaiter* waiter;
    uint64_t round;  // the first whose list will do
  };

  bool runs() const noexcept { return request_.runs() || reloads_.runs(); }
  bool is_current() const noexcept;
  Result<void> begin();
  Result<void> ask();
  void reload_known();
  bool belongs_here(std::string_view id) const;
  void finish(const Result<PodListRef>& list);
  void tell(const Result<PodListRef>& list);
  Result<void> ask_for_missing(const kernel::KernelList& kernels);
  void look_for_missing(const kernel::KernelList& kernels);
  PodListRef keep(kernel::KernelList kernels);
  bool is_fresh(const PodList& list) const noexcept;
  void on_list_answer(Result<std::string> body) override;
  void on_reloaded(const Result<void>& all) override;

  event::EventLoop& loop_;
  LocalPod& pod_;
  const uint64_t source_;
  ListRequest request_;
  Reloads reloads_;
  event::Deadline deadline_;  // of the request
  std::list<Waiting> waiting_;
  PodListRef last_;
  uint64_t serial_ = 0;  // of last_, and of those before
  // Of the list in flight.
  uint64_t begun_us_ = 0;
  uint64_t asked_us_ = 0;  // after what had to be loaded
  uint64_t changes_ = 0;
  uint64_t restarts_ = 0;
  uint64_t round_ = 0;                // or of the last
  uint64_t reloaded_ = 0;             // restarts() after which all that was known was wanted again
  bool adopted_ = false;              // since last_
  std::vector<std::string> missing_;  // in the list before this one
};

}  // namespace kg::upstream
