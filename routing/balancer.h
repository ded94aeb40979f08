// Balancer: which pod starts a new kernel.
//
// Power of two choices: two pods at random of those that take new kernels, then the less loaded of
// them. The counts that it reads are a moment old, and of one proxy of several; taking the least
// loaded of all would send every proxy's next starts to one pod at once.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace kg::routing {

struct PodLoad {
  bool open = false;      // takes new kernels
  bool avoid = false;     // is taken only if no other one is open
  uint64_t kernels = 0;   // that run, as last counted
  uint64_t launches = 0;  // that start
};

// Index of the pod; nullopt if none is open. `random`: 64 random bits.
std::optional<size_t> choose_pod(std::span<const PodLoad> pods, uint64_t random) noexcept;

// The same one for the same `key` as long as those that are open and not to be avoided are the same
// (rendezvous hash over `tags`, one for each pod): for starts that may be repeated.
std::optional<size_t> choose_pod_for(std::span<const PodLoad> pods, std::span<const uint32_t> tags,
                                     uint64_t key) noexcept;

}  // namespace kg::routing
