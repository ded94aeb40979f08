// LocalEndpoint: one worker's side of an endpoint: its connections and its counters. It pins the
// Endpoint with a count of the worker's own, so that no exchange writes a cache line shared by
// workers.
//
// EndpointRegistry: all of them on one worker. Thread: the worker's.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "proxy/upstream/kernel_lists.h"
#include "proxy/upstream/outlier_detector.h"
#include "proxy/upstream/pod_pool.h"
#include "proxy/upstream/retry_budget.h"
#include "routing/route_snapshot.h"

namespace kg::upstream {

struct LocalEndpoint final : event::Deferred {
  LocalEndpoint(event::EventLoop& loop, metrics::WorkerMetrics& metrics, routing::EndpointRef ref,
                size_t thread)
      : endpoint(std::move(ref)),
        counters(metrics.endpoint(endpoint->metrics_slot)),
        pool(loop, metrics, counters, endpoint->pod, thread),
        lists(loop, pool, *endpoint) {}
  ~LocalEndpoint() override;

  // What came of a request that went to the pod: a status, or an error instead of an answer.
  void answered(uint16_t status, uint64_t now_us);
  void failed(ErrorCode code, uint64_t now_us);

  routing::EndpointRef endpoint;
  metrics::EndpointMetrics& counters;
  PodPool pool;
  KernelLists lists;
  RetryBudget retries;
  OutlierDetector outlier;
  uint32_t pins = 0;
  bool retired = false;  // no longer in the snapshot: dies with its last exchange

 private:
  void suspect(std::string_view last, uint64_t now_us);
};

class EndpointRegistry;

// Keeps a LocalEndpoint alive for the life of an exchange.
class EndpointPin {
 public:
  EndpointPin() = default;
  EndpointPin(EndpointRegistry& registry, LocalEndpoint& local) noexcept
      : registry_(&registry), local_(&local) {
    ++local.pins;
  }
  EndpointPin(EndpointPin&& other) noexcept
      : registry_(other.registry_), local_(std::exchange(other.local_, nullptr)) {}
  EndpointPin& operator=(EndpointPin&& other) noexcept;
  ~EndpointPin() { release(); }

  LocalEndpoint* get() const noexcept { return local_; }
  LocalEndpoint* operator->() const noexcept { return local_; }
  explicit operator bool() const noexcept { return local_ != nullptr; }
  void release() noexcept;

 private:
  EndpointRegistry* registry_ = nullptr;
  LocalEndpoint* local_ = nullptr;
};

class EndpointRegistry {
 public:
  // `thread`: the worker's index.
  EndpointRegistry(event::EventLoop& loop, metrics::WorkerMetrics& metrics, size_t thread)
      : loop_(loop), metrics_(metrics), thread_(thread) {}

  EndpointPin pin(const routing::EndpointRef& endpoint);
  // A new snapshot took over: what only older ones knew goes, at once or with its last exchange.
  void retire_all();

 private:
  friend class EndpointPin;
  void drop(LocalEndpoint& local) noexcept;

  event::EventLoop& loop_;
  metrics::WorkerMetrics& metrics_;
  size_t thread_;
  std::unordered_map<const routing::Endpoint*, std::unique_ptr<LocalEndpoint>> locals_;
};

}  // namespace kg::upstream
