// PodFacts: what this process knows of one gateway pod beyond its configuration. Workers and the
// control thread share it, and it lives on through reloads for as long as the pod is configured.
//
//   word      | set by                        | means
//   healthy   | the health checker            | it answers its checks (true until some failed)
//   gone      | the health checker            | its kernels are nobody's any more
//   cordoned  | the admin interface           | it takes no new kernels, and keeps its own
//   ready     | the feed                      | Kubernetes sends it new work (domain K16)
//   restarts  | whoever saw one               | times that its memory may have been emptied
//   launches  | workers                       | starts in flight there, of this process
//   websockets| workers                       | open there, of this process
//   kernels   | the census                    | kernels that it listed last
//   known     | workers that list them        | those kernels themselves
//
// Thread: any. Changed at launches, WebSockets' begin and end, health changes, suspicions and admin
// calls only, never by a request; each on a cache line that the data path only reads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "routing/known_kernels.h"

namespace kg::routing {

class alignas(64) PodFacts {
 public:
  bool healthy() const noexcept { return healthy_.load(std::memory_order_acquire); }
  bool gone() const noexcept { return gone_.load(std::memory_order_acquire); }
  bool cordoned() const noexcept { return cordoned_.load(std::memory_order_relaxed); }
  uint64_t restarts() const noexcept { return restarts_.load(std::memory_order_acquire); }
  uint32_t launches() const noexcept { return launches_.load(std::memory_order_relaxed); }
  uint32_t websockets() const noexcept { return websockets_.load(std::memory_order_relaxed); }
  uint32_t kernels() const noexcept { return kernels_.load(std::memory_order_relaxed); }
  KnownKernels& known() noexcept { return known_; }
  bool ready() const noexcept { return ready_.load(std::memory_order_relaxed); }
  bool takes_new() const noexcept { return healthy() && !gone() && !cordoned() && ready(); }

  // Who finds a pod back also finds the restart suspected that was noted before.
  void set_healthy(bool on) noexcept { healthy_.store(on, std::memory_order_release); }
  void set_gone(bool on) noexcept { gone_.store(on, std::memory_order_release); }
  void set_cordoned(bool on) noexcept { cordoned_.store(on, std::memory_order_relaxed); }
  void set_ready(bool on) noexcept { ready_.store(on, std::memory_order_relaxed); }
  void set_kernels(uint32_t count) noexcept { kernels_.store(count, std::memory_order_relaxed); }
  // One more came up; the next census counts it too.
  void note_kernel() noexcept { kernels_.fetch_add(1, std::memory_order_relaxed); }
  // What was known of its memory before counts no longer. Many see one event: true for the first
  // of them since the pod answered.
  bool suspect_restart() noexcept {
    if (silent_.exchange(true, std::memory_order_acq_rel)) return false;
    restarts_.fetch_add(1, std::memory_order_acq_rel);
    return true;
  }
  // It had lost something from its memory that it held when restarts() was `seen`. False if others
  // have noticed that.
  bool note_restart_since(uint64_t seen) noexcept {
    return restarts_.compare_exchange_strong(seen, seen + 1, std::memory_order_acq_rel);
  }
  void answered() noexcept {
    if (silent_.load(std::memory_order_relaxed)) silent_.store(false, std::memory_order_relaxed);
  }
  void begin_launch() noexcept { launches_.fetch_add(1, std::memory_order_relaxed); }
  void end_launch() noexcept { launches_.fetch_sub(1, std::memory_order_relaxed); }
  void begin_websocket() noexcept { websockets_.fetch_add(1, std::memory_order_relaxed); }
  void end_websocket() noexcept { websockets_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  std::atomic<bool> healthy_{true};
  std::atomic<bool> gone_{false};
  std::atomic<bool> cordoned_{false};
  std::atomic<bool> ready_{true};
  std::atomic<bool> silent_{false};  // since the last restart that was suspected
  std::atomic<uint64_t> restarts_{0};
  // Changes more often than what stands above, which placement reads.
  alignas(64) std::atomic<uint32_t> launches_{0};
  std::atomic<uint32_t> websockets_{0};
  std::atomic<uint32_t> kernels_{0};
  alignas(64) KnownKernels known_;
};
using PodFactsRef = std::shared_ptr<PodFacts>;

// Finds a pod's facts again after a reload. Thread: control.
class PodBook {
 public:
  // New ones for a pod that no snapshot in use knows.
  PodFactsRef facts_of(const std::string& virtual_cluster, const std::string& endpoint,
                       const std::string& pod, const std::string& address);

 private:
  std::map<std::string, std::weak_ptr<PodFacts>> facts_;
  size_t sweep_at_ = 64;  // entries, from which on those of pods that left are looked for
};

}  // namespace kg::routing
