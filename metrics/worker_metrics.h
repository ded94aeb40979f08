// The counters and histograms of one worker, written by its thread alone and summed at scrape.
//
// Thread: add/observe only on the owning worker; read by the scraping thread at any time. Every
// cell is an atomic with relaxed loads and stores (no read-modify-write, no shared cache line), so
// a scrape sees each cell whole, if not all cells of the same instant. Limits: label values come
// from closed sets: operations, code classes, error labels, directions, and the first
// metrics.endpoints_max endpoints (slot 0 is `other`).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "metrics/gap_end.h"
#include "metrics/limit.h"
#include "proxy/base/error.h"

namespace kg::metrics {

// A cell that one thread writes and any thread reads.
class Cell {
 public:
  void add(uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void sub(uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  }
  uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// A count that its gauge follows.
class GaugedCount {
 public:
  explicit GaugedCount(Cell& gauge) noexcept : gauge_(gauge) {}
  GaugedCount(const GaugedCount&) = delete;
  GaugedCount& operator=(const GaugedCount&) = delete;
  void operator++() noexcept {
    ++value_;
    gauge_.add();
  }
  void operator--() noexcept {
    --value_;
    gauge_.sub();
  }
  operator uint32_t() const noexcept { return value_; }  // NOLINT(google-explicit-constructor)

 private:
  Cell& gauge_;
  uint32_t value_ = 0;
};

// Upper bounds in microseconds: 100 us .. 400 s, +Inf implied.
inline constexpr std::array<uint64_t, 20> kLatencyBoundsUs{
    100,       250,        500,        1'000,      2'500,       5'000,      10'000,
    25'000,    50'000,     100'000,    250'000,    500'000,     1'000'000,  2'500'000,
    5'000'000, 10'000'000, 30'000'000, 60'000'000, 120'000'000, 400'000'000};

class Histogram {
 public:
  void observe_us(uint64_t microseconds) noexcept;
  uint64_t bucket(size_t index) const noexcept { return buckets_[index].get(); }  // not cumulative
  uint64_t sum_us() const noexcept { return sum_us_.get(); }

 private:
  std::array<Cell, kLatencyBoundsUs.size() + 1> buckets_;
  Cell sum_us_;
};

inline constexpr size_t kOperations = 18;  // kernel::kOperationCount, checked where both meet
inline constexpr size_t kCodeClasses = 5;  // 1xx .. 5xx
constexpr size_t code_class(uint16_t status) noexcept {
  return status >= 100 && status < 600 ? static_cast<size_t>(status / 100 - 1) : 4;
}

enum Direction : uint8_t { kFromClient, kFromUpstream };

// What a kernel was last heard to do; starting and restarting are busy, dead is idle.
enum class KernelState : uint8_t { kUnknown, kBusy, kIdle };
inline constexpr size_t kKernelStates = 3;
// Channels of kernel messages, and those that could not be looked at.
inline constexpr size_t kMessageChannels = 6;

// What an operator sees per endpoint. Aligned so that no two workers write to one cache line.
struct alignas(64) EndpointMetrics {
  std::array<Cell, kCodeClasses> requests;  // finished exchanges by code class
  Cell launches_ok;
  Cell launches_failed;
  Cell launches_running;   // gauge, by the endpoint's home worker
  Cell launches_waiting;   // gauge, the same
  Cell launches_refused;   // no turn: too many wait, or it waited too long
  Cell launches_shared;    // answered by an earlier start with the same id
  Cell launches_followed;  // gauge: their clients left, or their answers were lost
  Cell launches_lost;      // the gateway broke off
  Cell orphans_deleted;    // kernels of starts that were followed
  Cell orphans_left;       // to the gateway's culling
  Cell websockets_open;    // gauge
  Cell websockets_total;
  Cell upstream_active;       // gauge: requests in flight to the pod
  Cell upstream_queued;       // gauge: requests that wait for a place among them
  Cell upstream_refused;      // requests beyond both
  Cell kernel_ids_foreign;    // refused
  Cell kernel_id_mismatches;  // the gateway chose another id
  Cell launch_env_dropped;    // variables
  Cell kernel_lists_stale;    // answered with old entries of a pod
  Cell retries;
  Cell retries_refused;                     // no retry budget was left
  Cell pod_suspect;                         // gauge: workers that suspect the pod now
  Cell pod_suspected;                       // times that one began to
  std::array<Cell, kKernelStates> kernels;  // gauge: open WebSockets by their kernel's state
  std::array<Cell, kMessageChannels> kernel_messages;
  Cell comm_messages;
  Cell input_requests;
  Cell cells;                                // execute requests
  Cell cells_unfollowed;                     // too many were in flight to be timed
  Cell pod_twins;                            // gauge: pods of equal tags, seen by workers
  Cell kernel_revivals;                      // GETs for a pod to load a kernel
  Cell kernels_rehomed;                      // loaded by another pod than that of their ids
  std::array<Cell, 2> messages;              // WebSocket data messages, by Direction
  std::array<Cell, 2> bytes;                 // payload of bodies and WebSockets, by Direction
  std::array<Cell, kErrorCodeCount> errors;  // exchanges that ended with that error
};

// From the request head complete to the first byte of the answer, and to its last byte handed to
// TLS; the latter without WebSockets.
struct OperationMetrics {
  std::array<Histogram, kCodeClasses> first_byte;
  std::array<Histogram, kCodeClasses> total;
};

// From an execute request passed on to what came of it, by the kernel's spec (kernel_specs.h).
inline constexpr size_t kSpecSlots = 17;
struct CellMetrics {
  Histogram first_output;
  Histogram reply;
};

struct alignas(64) WorkerMetrics {
  explicit WorkerMetrics(uint32_t endpoint_slots);  // slots 0..endpoint_slots-1

  EndpointMetrics& endpoint(uint32_t slot) noexcept;
  const EndpointMetrics& endpoint(uint32_t slot) const noexcept;
  void hit(Limit limit) noexcept { limits_hit[static_cast<size_t>(limit)].add(); }

  std::array<OperationMetrics, kOperations> operations;
  Histogram upstream_connect;
  Histogram tls_handshake;
  Histogram upgrade;        // upgrade request sent -> 101 received
  Histogram kernel_launch;  // POST received -> first 101 of the kernel it started on this worker,
                            // or the 201's total if none comes
  std::array<CellMetrics, kSpecSlots> cells;
  Histogram launch_wait;         // a kernel start asks for its turn -> it has it
  Histogram websocket_duration;  // 101 -> end; seconds to days fall into +Inf
  Histogram websocket_gap;       // gateway lost -> its side stands again, or nobody waits any more
  Cell connections_accepted;
  Cell connections_open;     // gauge
  Cell connections_refused;  // limits, allow_sources
  Cell connections_handed_over;
  Cell tls_handshakes_full;
  Cell tls_handshakes_resumed;
  Cell tls_handshake_errors;
  Cell upstream_connections_opened;
  Cell upstream_connections_reused;
  Cell upstream_connections_open;  // gauge
  Cell gateway_errors_reduced;
  Cell gateway_errors_replaced;
  Cell upstream_tls_full;  // handshakes
  Cell upstream_tls_resumed;
  Cell session_cache_hits;
  Cell session_cache_misses;
  Cell websocket_scan_lost;
  std::array<Cell, kGapEndCount> websocket_gaps;
  Cell websocket_reconnect_tries;
  Cell websocket_messages_held;     // of clients, in gaps
  Cell websocket_messages_untaken;  // of clients, when a drain had closed that side
  Cell websockets_expired;          // closed because their session ended
  Cell websockets_kept;             // open on although it ended
  Cell websockets_renewed;          // times that one met a fresher session
  Cell websockets_revoked;
  Cell notices_said;                        // messages of our own to clients
  Cell notices_unsaid;                      // there was no place for them before the end
  std::array<Cell, 2> websocket_pings;      // ours, by the side that was asked
  std::array<Histogram, 2> websocket_ping;  // ours -> its pong
  Cell access_log_dropped;
  Cell audit_log_dropped;
  Cell slow_turns;
  std::array<Cell, kLimitCount> limits_hit;

 private:
  uint32_t slots_;
  std::unique_ptr<EndpointMetrics[]> endpoints_;
};

}  // namespace kg::metrics
