#include "metrics/worker_metrics.h"

#include <bit>

#include "proxy/base/assert.h"

namespace kg::metrics {
namespace {

// By bit width of a value: the first bound that a value of that width may lie under. Each
// bound is at least twice the one before, so the search from there takes one step at most.
constexpr std::array<uint8_t, 65> make_first_bound() {
  std::array<uint8_t, 65> first{};
  for (size_t width = 1; width < first.size(); ++width) {
    const uint64_t least = uint64_t{1} << (width - 1);
    while (first[width] < kLatencyBoundsUs.size() && kLatencyBoundsUs[first[width]] < least) {
      ++first[width];
    }
  }
  return first;
}
constexpr std::array<uint8_t, 65> kFirstBound = make_first_bound();

static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace

void Histogram::observe_us(uint64_t microseconds) noexcept {
  size_t index = kFirstBound[static_cast<size_t>(std::bit_width(microseconds))];
  while (index < kLatencyBoundsUs.size() && microseconds > kLatencyBoundsUs[index]) ++index;
  buckets_[index].add();
  sum_us_.add(microseconds);
}

WorkerMetrics::WorkerMetrics(uint32_t endpoint_slots)
    : slots_(endpoint_slots), endpoints_(std::make_unique<EndpointMetrics[]>(endpoint_slots)) {
  KG_ASSERT(endpoint_slots > 0);
}

EndpointMetrics& WorkerMetrics::endpoint(uint32_t slot) noexcept {
  KG_ASSERT(slot < slots_);
  return endpoints_[slot];
}

const EndpointMetrics& WorkerMetrics::endpoint(uint32_t slot) const noexcept {
  KG_ASSERT(slot < slots_);
  return endpoints_[slot];
}

}  // namespace kg::metrics
