#include "routing/balancer.h"

#include <algorithm>

namespace kg::routing {
namespace {

uint64_t load_of(const PodLoad& pod) noexcept { return pod.kernels + pod.launches; }

// Whether there are only pods to be avoided.
bool all_avoided(std::span<const PodLoad> pods) noexcept {
  return std::none_of(pods.begin(), pods.end(),
                      [](const PodLoad& pod) { return pod.open && !pod.avoid; });
}

// Index of the n-th candidate. There are more than n.
size_t nth(std::span<const PodLoad> pods, bool avoided, size_t n) noexcept {
  for (size_t i = 0;; ++i) {
    if (!pods[i].open || pods[i].avoid != avoided) continue;
    if (n-- == 0) return i;
  }
}

// splitmix64's finaliser: every bit of the input reaches every bit.
uint64_t mix(uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

std::optional<size_t> choose_pod(std::span<const PodLoad> pods, uint64_t random) noexcept {
  const bool avoided = all_avoided(pods);
  const auto count =
      static_cast<size_t>(std::count_if(pods.begin(), pods.end(), [avoided](const PodLoad& pod) {
        return pod.open && pod.avoid == avoided;
      }));
  if (count == 0) return std::nullopt;
  const size_t one = (random & 0xffffffff) % count;
  const size_t first = nth(pods, avoided, one);
  if (count == 1) return first;
  // Another one: 1 to count - 1 places on.
  const size_t second = nth(pods, avoided, (one + 1 + (random >> 32) % (count - 1)) % count);
  return load_of(pods[second]) < load_of(pods[first]) ? second : first;
}

std::optional<size_t> choose_pod_for(std::span<const PodLoad> pods, std::span<const uint32_t> tags,
                                     uint64_t key) noexcept {
  const bool avoided = all_avoided(pods);
  std::optional<size_t> best;
  uint64_t most = 0;
  for (size_t i = 0; i < pods.size(); ++i) {
    if (!pods[i].open || pods[i].avoid != avoided) continue;
    const uint64_t weight = mix(key ^ mix(tags[i]));
    if (best && weight <= most) continue;
    best = i;
    most = weight;
  }
  return best;
}

}  // namespace kg::routing
