// LocalEndpoint: one worker's side of an endpoint: its pods and its counters. It pins the
// Endpoint with a count of the worker's own, so that no exchange writes a cache line shared by
// workers.
//
// EndpointRegistry: all of them on one worker. Thread: the worker's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/upstream/kernel_map.h"
#include "proxy/upstream/local_pod.h"
#include "proxy/upstream/retry_budget.h"
#include "routing/placement.h"
#include "routing/route_snapshot.h"

namespace kg::upstream {

struct LocalEndpoint final : event::Deferred {
  LocalEndpoint(event::EventLoop& loop, metrics::WorkerMetrics& metrics, routing::EndpointRef ref,
                size_t thread);
  ~LocalEndpoint() override;

  // Whether a kernel's pod is a question at all. With one pod it is only where kernels have to be
  // loaded again; where callers' own tokens go up, ids are the gateway's affair.
  bool has_places() const noexcept {
    return pods.size() != 1 || (endpoint->replication && !endpoint->forwards_credentials);
  }
  // What is known of the pods now, no list asked for; good until the next call.
  std::span<routing::PodView> view_pods();
  // Where a kernel is. `tag`: of its pod, if it was minted here.
  routing::Placement place_by(std::string_view id, std::optional<uint32_t> tag,
                              std::span<const routing::PodView> views) const;
  // The pod answered for the kernel, or listed it; `restarts`: of the pod, when it was asked.
  void saw(std::string_view id, std::optional<uint32_t> tag, const LocalPod& pod,
           uint64_t restarts);
  // For what any pod can answer: the ready ones in turn; else one that may answer all the same.
  LocalPod* any(uint64_t now_us) noexcept;
  // For a new kernel (routing/balancer.h); null if no pod takes one. `tried`: pods to leave out,
  // one bit each. With `key`: the same pod for the same key.
  LocalPod* choose(uint64_t tried = 0, std::optional<uint64_t> key = {}) const;
  const char* why_no_choice() const noexcept;  // when choose() has none: for the client
  void close_idle() noexcept;

  routing::EndpointRef endpoint;
  metrics::EndpointMetrics& counters;
  std::vector<std::unique_ptr<LocalPod>> pods;  // in the order of Endpoint::pods
  KernelMap kernels;
  RetryBudget retries;
  uint32_t pins = 0;
  bool retired = false;  // no longer in the snapshot: dies with its last exchange

 private:
  std::vector<routing::PodView> views_;
  size_t turn_ = 0;  // of any()
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
  // No route leads to it any more.
  void retire(const routing::Endpoint& endpoint);

 private:
  friend class EndpointPin;
  using Locals = std::unordered_map<const routing::Endpoint*, std::unique_ptr<LocalEndpoint>>;
  Locals::iterator retire(Locals::iterator entry);
  void drop(LocalEndpoint& local) noexcept;

  event::EventLoop& loop_;
  metrics::WorkerMetrics& metrics_;
  size_t thread_;
  Locals locals_;
};

}  // namespace kg::upstream
