// ListGathering: the kernels of all serving pods of an endpoint, for one exchange.
//
// Each pod is asked through its KernelLists, which share one list among all exchanges of a worker.
// A list that does not come makes the whole a failure, because one with gaps looks to clients as if
// kernels had been culled (domain G28); but it may be replaced by what its pod listed last, once it
// failed or kListPatienceMs have passed, so that a slow pod slows nobody. What this process did
// since is put right: a kernel that was deleted is left out, and where one was made that the old
// list lacks, it does not serve.
// With `replication` the kernels of gone pods are loaded by those that come after them
// (routing/placement.h), before the lists of these count.
// Owner:  the Exchange, which keeps its deadlines. Thread: the worker's.
// Errors: kListRefused, kUpstreamToken, else kListIncomplete.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/kernel/kernel_id.h"
#include "proxy/upstream/local_endpoint.h"

namespace kg::exchange {

class ListGatheringOwner {
 public:
  // It may end the gathering's life.
  virtual void on_lists_gathered(const Result<void>& whole) = 0;

 protected:
  ~ListGatheringOwner() = default;
};

// One pod's share.
struct GatheredList {
  upstream::LocalPod* pod = nullptr;
  uint32_t index = 0;                // of the pod
  bool only_fresh = false;           // an old one would lack what was just loaded there
  upstream::PodListRef list;         // null while it is waited for
  std::vector<std::string> deleted;  // ids that do not count any more
};

class ListGathering final {
 public:
  // `keys` tell which ids were minted here.
  ListGathering(event::EventLoop& loop, upstream::LocalEndpoint& endpoint,
                std::shared_ptr<const kernel::KernelIdKeys> keys, ListGatheringOwner& owner);
  ~ListGathering();
  ListGathering(const ListGathering&) = delete;
  ListGathering& operator=(const ListGathering&) = delete;

  // What came of it if that is known at once; else the owner is told later, once.
  std::optional<Result<void>> begin();
  // After kListPatienceMs, and again: a slow pod is waited for no longer. The same answer.
  std::optional<Result<void>> look();
  // Nobody is waited for any longer.
  Result<void> give_up();

  const std::vector<GatheredList>& lists() const noexcept { return lists_; }
  // What it means that the kernel stands in that one.
  kernel::Claim claim(size_t list, const kernel::ListedKernel& kernel) const;
  // Some of them are old.
  bool is_stale() const noexcept { return stale_; }
  // The pod for whose sake it failed.
  const upstream::LocalPod* culprit() const noexcept { return culprit_; }

 private:
  class Seat;

  bool is_out(const routing::Pod& pod) const noexcept;
  Result<void> ask(size_t index);
  std::optional<Result<void>> progress();
  Result<void> rehome();
  routing::Placement place(std::string_view id, std::optional<uint32_t> tag) const;
  std::optional<uint32_t> tag_of(std::string_view id) const;
  Result<void> fail(const upstream::LocalPod* pod, const Error& error);
  bool take_last_known(GatheredList& part);
  void on_answer(size_t index, const Result<upstream::PodListRef>& list);

  event::EventLoop& loop_;
  upstream::LocalEndpoint& endpoint_;
  std::shared_ptr<const kernel::KernelIdKeys> keys_;
  ListGatheringOwner& owner_;
  std::vector<GatheredList> lists_;
  std::vector<std::unique_ptr<Seat>> seats_;  // those that are waited for, in the order of lists_
  const upstream::LocalPod* culprit_ = nullptr;
  std::vector<routing::PodFacts*> rehomed_;  // of gone pods, whose kernels are taken care of
  bool rehoming_ = false;                    // was looked after
  bool stale_ = false;
};

}  // namespace kg::exchange
