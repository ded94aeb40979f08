// Reconnection: the way back to a gateway that was lost under an open WebSocket.
//
//   Pausing --its time--> Queued --a connection--> Asking --101 that fits--> over: reconnected
//     ^                     |                        |--404----------------> over: failed, dead
//     |                     |                        |--another answer-----> over: failed, refused
//     \---no place, or------/--no connection, cut off, or 5xx
//         none of them, once the plan's time is over ---------------------> over: failed, timeout
//
//   with replication, where the pod is gone, or says 404 for the first time:
//   Placing --a pod that has it--> Queued
//     |--no pod has it-----------> over: failed, dead
//     \--nobody can say----------> Pausing
//   without it a pod that is gone is as good as a 404
//
// A handshake that has begun may outlast the plan's time, as long as any upgrade: a gateway whose
// kernel is busy holds its 101 for up to a minute (domain J30). The connection that was lost must
// be closed before: the gateway would wait for it (J32a). A pod that is gone has its kernels loaded
// by others (routing/placement.h): what they said meanwhile is lost, the WebSocket goes on.
// Owner:  the exchange; dies between turns, after its end or cancel(). Thread: the worker's.
// Limits: reconnect_plan.h; the pod's pool, with its queue; the deadline of an upgrade.
// Errors: of its end. What each try met counts for the pod as any request's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "metrics/gap_end.h"
#include "metrics/worker_metrics.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/watcher.h"
#include "proxy/exchange/reconnect_plan.h"
#include "proxy/upstream/placing.h"

namespace kg::exchange {

class ReconnectOwner {
 public:
  // The handshake's request, with this key.
  virtual void append_reconnect_head(std::string_view key, std::string& out) = 0;
  // From now on another pod is asked.
  virtual void reconnect_moves(upstream::LocalPod& pod) = 0;
  // The gateway has the request and says nothing: its kernel is busy. Once.
  virtual void reconnect_is_slow() = 0;
  // One of these ends it. A tunnel, leased: the owner hands it over to its handler.
  virtual void reconnected(upstream::UpstreamConnection& connection) = 0;
  virtual void reconnect_failed(const Error& why, metrics::GapEnd how) = 0;

 protected:
  ~ReconnectOwner() = default;
};

class Reconnection final : public event::Deferred,
                           private upstream::UpstreamHandler,
                           private upstream::LeaseWaiter,
                           private upstream::PlacingOwner {
 public:
  // What it needs of its surroundings. All of it outlives the object.
  struct Place {
    event::EventLoop& loop;
    metrics::WorkerMetrics& metrics;
    upstream::LocalEndpoint& endpoint;
    upstream::LocalPod& pod;  // that was lost
    upstream::WantedKernel kernel;
    ReconnectPlan& plan;
    std::string_view protocol;  // that the gateway chose before
    uint32_t upgrade_ms;        // how long a handshake may take
  };
  Reconnection(Place place, ReconnectOwner& owner);
  ~Reconnection() override;

  void start();
  void cancel() noexcept;

 private:
  enum class State : uint8_t { kPausing, kPlacing, kQueued, kAsking, kOver };

  void pause_or_end();
  void try_now();
  void find_pod();
  void stop_placing() noexcept;
  void ask();
  void on_deadline();
  void look_at_handshake();
  void release() noexcept;
  void end(ErrorCode why, metrics::GapEnd how);

  void on_placed(const Result<upstream::LocalPod*>& pod) override;
  void on_lease(upstream::UpstreamConnection& connection) override;
  void on_lease_failed(const Error& error) override;
  void on_response_head(const http::ResponseHead& head) override;
  void on_interim_head(const http::ResponseHead&) override {}
  void on_response_body(std::string_view) override {}
  void on_response_end() override {}
  void on_tunnel_data(std::string_view) override {}
  void on_tunnel_end() override {}
  void on_upstream_drained() override {}
  void on_upstream_error(const Error& error) override;

  Place place_;
  upstream::LocalPod* pod_;  // that is asked
  ReconnectOwner& owner_;
  event::Deadline deadline_;
  std::unique_ptr<upstream::Placing> placing_;
  upstream::UpstreamConnection* connection_ = nullptr;  // Asking: leased
  std::string key_;                                     // of the handshake that runs
  uint64_t asked_us_ = 0;
  State state_ = State::kPausing;
  bool placed_ = false;  // pod_ has the kernel, as it said when it was asked for it
  bool told_slow_ = false;
};

}  // namespace kg::exchange
