// KernelLists: one worker's view of the kernels on a pod, asked for by the worker itself with the
// endpoint's own token.
//
// A list is shared by all who want one within kKernelListFreshMs, then forgotten; only one is in
// flight. One that was asked for before this process made or deleted a kernel of the endpoint does
// not count any more (routing::KernelChanges).
// Owner:  the LocalEndpoint. Thread: the worker's.
// Limits: kListBytesMax; kListMs until the whole answer. Its request counts among those of the
//         pool.
// Errors: those of the pool and the connection; kUpstreamTimeout; kUpstreamProtocol for any status
//         but 200, which is also what a gateway says that does not list its kernels (domain J8).
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "proxy/upstream/pod_pool.h"
#include "routing/endpoint.h"

namespace kg::upstream {

struct KernelList {
  std::string body;       // a 200's, not looked at
  uint64_t asked_us = 0;  // monotonic
  uint64_t changes = 0;   // KernelChanges::count() when it was asked for
};
using KernelListRef = std::shared_ptr<const KernelList>;

class KernelListWaiter {
 public:
  virtual void on_kernel_list(const Result<KernelListRef>& list) = 0;

 protected:
  ~KernelListWaiter() = default;
};

class KernelLists final : private UpstreamHandler, private LeaseWaiter {
 public:
  KernelLists(event::EventLoop& loop, PodPool& pool, const routing::Endpoint& endpoint);
  ~KernelLists();
  KernelLists(const KernelLists&) = delete;
  KernelLists& operator=(const KernelLists&) = delete;

  // At once, or null: then `waiter` is told later, once, unless it cancels.
  Result<KernelListRef> get(KernelListWaiter& waiter);
  void cancel(KernelListWaiter& waiter) noexcept;

 private:
  enum class State : uint8_t { kIdle, kQueued, kAsking };
  struct Waiting {
    KernelListWaiter* waiter;
    uint64_t round;  // the first whose list will do
  };

  Result<void> begin();
  Result<void> lease(LeaseKind kind);
  void ask(UpstreamConnection& connection);
  void on_deadline();
  void finish(const Result<KernelListRef>& list, bool healthy);
  void tell(const Result<KernelListRef>& list);
  void give_back(bool healthy);
  void on_lease(UpstreamConnection& connection) override;
  void on_lease_failed(const Error& error) override;
  void on_response_head(const http::ResponseHead& head) override;
  void on_interim_head(const http::ResponseHead&) override {}
  void on_response_body(std::string_view payload) override;
  void on_response_end() override;
  void on_tunnel_data(std::string_view) override {}
  void on_tunnel_end() override {}
  void on_upstream_drained() override {}
  void on_upstream_error(const Error& error) override;

  event::EventLoop& loop_;
  PodPool& pool_;
  const routing::Endpoint& endpoint_;
  event::Deadline deadline_;
  std::list<Waiting> waiting_;
  KernelListRef last_;
  std::shared_ptr<KernelList> next_;          // Asking, Queued
  UpstreamConnection* connection_ = nullptr;  // leased
  uint64_t round_ = 0;                        // the one in flight, or the last
  State state_ = State::kIdle;
  bool retried_ = false;
};

}  // namespace kg::upstream
