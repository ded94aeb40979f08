// PodPool: one worker's connections to one gateway pod.
//
// Owner:  the LocalPod. Thread: the worker's.
// Limits: the pod's PoolLimits: active_max requests in flight (open WebSockets do not count), then
// a
//         queue of queue_max in order of arrival, then kUpstreamBusy at once, counted.
//         kUpstreamIdlePerPodMax idle connections, each for idle_ms.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "metrics/worker_metrics.h"
#include "proxy/base/result.h"
#include "proxy/upstream/upstream_connection.h"
#include "routing/endpoint.h"

namespace kg::upstream {

// Who waits for a connection. Leaves the queue by cancel() or when it is served.
class LeaseWaiter {
 public:
  virtual void on_lease(UpstreamConnection& connection) = 0;
  virtual void on_lease_failed(const Error& error) = 0;

 protected:
  ~LeaseWaiter() = default;
};

// kFresh: a new connection (a retry, whose reused one failed). kChecked: a reused one only after a
// look that its peer did not close it: for requests that must not be sent twice.
enum class LeaseKind : uint8_t { kAny, kChecked, kFresh };

class PodPool {
 public:
  // `thread`: index of the calling thread among those that connect (PodTls::contexts).
  PodPool(event::EventLoop& loop, metrics::WorkerMetrics& metrics,
          metrics::EndpointMetrics& counters, const routing::Pod& pod, size_t thread);
  ~PodPool();

  // A connection at once, perhaps still connecting; null when `waiter` was queued; kUpstreamBusy,
  // kUpstreamConnect or kOverloaded.
  Result<UpstreamConnection*> lease(LeaseWaiter& waiter, LeaseKind kind);
  void cancel(LeaseWaiter& waiter) noexcept;
  // Ends a lease: back to the idle ones if reusable() and `healthy`, else closed. Also after an
  // error.
  void release(UpstreamConnection& connection, bool healthy);
  // The gateway is not at work on it, so it stops counting as a request in flight: a WebSocket, a
  // request whose body still comes, an answer that its client takes slowly.
  void stop_counting(UpstreamConnection& connection);
  // It does again, above the bound if need be.
  void count_again(UpstreamConnection& connection) noexcept;
  void close_idle() noexcept;
  // Called by a connection that closed; it dies now, or when its lease ends.
  void forget(UpstreamConnection& connection) noexcept;
  // The pod refused a connection, or ended one that was not over. A pod that refuses, and one that
  // ends all that it has, may have restarted: it is suspected of it (PodFacts::restarts).
  void refused() noexcept;
  void broke_off() noexcept { broke_off_ = true; }
  // Called by a connection: it carries a WebSocket from now on, and when that one closes.
  void tunnel_opened() noexcept { pod_.facts->begin_websocket(); }
  void tunnel_closed() noexcept { pod_.facts->end_websocket(); }
  // Called once by each connection that closes, before forget().
  void closed() noexcept;

 private:
  Result<UpstreamConnection*> open_connection();
  UpstreamConnection* take_idle(LeaseKind kind);
  void serve_queue();
  void sweep_idle();
  void suspect(std::string_view reason) noexcept;

  event::EventLoop& loop_;
  metrics::WorkerMetrics& metrics_;
  metrics::EndpointMetrics& counters_;
  const routing::Pod& pod_;
  std::optional<tls::TlsPeer> peer_;  // none: plain HTTP
  std::unordered_map<UpstreamConnection*, std::unique_ptr<UpstreamConnection>> connections_;
  std::vector<UpstreamConnection*> idle_;  // oldest first, taken from the back
  struct Waiting {
    LeaseWaiter* waiter;
    LeaseKind kind;
  };
  std::list<Waiting> queue_;
  metrics::GaugedCount active_;
  size_t open_ = 0;         // connections that did not close
  bool broke_off_ = false;  // it ended one of them since it last answered
  bool serving_queue_ = false;
  event::Deadline sweep_;
};

}  // namespace kg::upstream
