// KernelChanges: what this process itself did to the kernels of an endpoint. Whatever was read of
// them before a change is out of date.
//
// Owner:  the Endpoint. Thread: any. Changed at starts and deletes only.
// Limits: kKernelChangesKept changes with their ids.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kg::routing {

class KernelChanges {
 public:
  struct Change {
    std::string id;
    bool made = false;   // else deleted
    uint64_t at_us = 0;  // monotonic
  };

  // A kernel may have been made or deleted.
  void note() noexcept { count_.fetch_add(1, std::memory_order_acq_rel); }
  uint64_t count() const noexcept { return count_.load(std::memory_order_acquire); }
  // A gateway said that it was. Beside note().
  void note_kernel(std::string_view id, bool made, uint64_t now_us);
  // What gateways said since then, oldest first; nullopt where it is not known any more.
  std::optional<std::vector<Change>> since(uint64_t then_us) const;

 private:
  alignas(64) std::atomic<uint64_t> count_{0};
  mutable std::mutex mutex_;  // of what follows
  std::deque<Change> changes_;
  uint64_t forgotten_us_ = 0;  // the last one that was dropped
};

}  // namespace kg::routing
