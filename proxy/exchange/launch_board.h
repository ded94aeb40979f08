// LaunchBoard measures kernel launches: from the POST that asked for the kernel to the 101 of its
// first WebSocket, because a gateway may answer 201 before the kernel is up (domain 0.12).
//
// The 201 and the 101 may pass different workers, so each kernel id has a home worker, hash(id) mod
// workers, that keeps its start; the others reach it by EventLoop::post, at launches and first
// connections only.
// Owner:  the server; seats are added before the workers run. Thread: any worker.
// Limits: kLaunchesOpenMax starts per home; a start that no WebSocket followed within kLaunchMsMax
// counts
//         with the time of its 201.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/kernel_specs.h"
#include "metrics/worker_metrics.h"
#include "proxy/event/event_loop.h"

namespace kg::exchange {

class LaunchBoard {
 public:
  void add_seat(event::EventLoop& loop, metrics::WorkerMetrics& metrics);
  // A 201 for `kernel_id`: asked for at `started_us` (monotonic), answered now.
  void launched(std::string_view kernel_id, uint64_t started_us);
  // A 101 for `kernel_id`, now.
  void connected(std::string_view kernel_id);
  metrics::KernelSpecs& specs() noexcept { return specs_; }

 private:
  struct Start {
    uint64_t started_us;
    uint64_t answered_us;
  };
  struct Seat {
    event::EventLoop* loop;
    metrics::WorkerMetrics* metrics;
    std::unordered_map<std::string, Start> open;  // home thread only
  };
  Seat& home(std::string_view kernel_id);
  static void record(Seat& seat, std::string kernel_id, Start start);
  static void settle(Seat& seat, const std::string& kernel_id, uint64_t now_us);
  static void expire(Seat& seat, uint64_t now_us);

  std::vector<Seat> seats_;
  metrics::KernelSpecs specs_;
};

}  // namespace kg::exchange
