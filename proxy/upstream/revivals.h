// Revivals: one GET /api/kernels/{id} at a pod that may have lost it from its memory, with the
// endpoint's own token. A gateway that shares its kernels' records loads the kernel by it, which
// an interrupt or a restart would not (domain J22, 0.12); afterwards every operation works there.
//
//   asked --> Waiting --> Queued (in the pool) --> Asking --> told
//
// Only the kernel's holder is asked (routing/placement.h): elsewhere the question destroys (J23).
// Owner:  the pod's side of a worker. Thread: the worker's.
// Limits: one question for one id at a time, told to all who want it; kRevivalsAtATime of them,
//         because a gateway answers nobody else meanwhile; kRevivalsWaitingMax wait, then
//         kUpstreamBusy; kRevivalMs from being asked to the answer.
// Errors: kNoKernel: the gateway does not know it (404), it has ended. kUpstreamToken (401);
//         kUpstreamProtocol for any other status; kUpstreamTimeout; those of pool and connection.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/upstream/pod_pool.h"
#include "routing/endpoint.h"

namespace kg::upstream {

class RevivalWaiter {
 public:
  virtual void on_revival(const Result<void>& there) = 0;

 protected:
  ~RevivalWaiter() = default;
};

class Revivals final : private event::Task {
 public:
  Revivals(event::EventLoop& loop, PodPool& pool, metrics::EndpointMetrics& counters,
           const routing::Endpoint& endpoint, const routing::Pod& pod);
  ~Revivals() override;
  Revivals(const Revivals&) = delete;
  Revivals& operator=(const Revivals&) = delete;

  // An error at once, or `waiter` is told later, once, unless it cancels.
  Result<void> ask(std::string_view id, RevivalWaiter& waiter);
  void cancel(RevivalWaiter& waiter) noexcept;

 private:
  class Question;
  void begin_later();
  void run_task() override;
  void finish(Question& question, const Result<void>& there);

  event::EventLoop& loop_;
  PodPool& pool_;
  metrics::EndpointMetrics& counters_;
  const routing::Endpoint& endpoint_;
  const routing::Pod& pod_;
  std::unordered_map<std::string, std::unique_ptr<Question>> questions_;
  std::deque<Question*> waiting_;
  uint32_t running_ = 0;
};

}  // namespace kg::upstream
