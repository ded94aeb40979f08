#include "metrics/worker_metrics.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>

namespace kg::metrics::worker_metrics_test {

size_t bucket_of(uint64_t us) {
  Histogram histogram;
  histogram.observe_us(us);
  for (size_t i = 0; i <= kLatencyBoundsUs.size(); ++i) {
    if (histogram.bucket(i) == 1) return i;
  }
  return SIZE_MAX;
}

TEST(Histogram, BoundsAreInclusive) {
  EXPECT_EQ(bucket_of(0), 0u);
  for (size_t i = 0; i < kLatencyBoundsUs.size(); ++i) {
    EXPECT_EQ(bucket_of(kLatencyBoundsUs[i]), i);
    EXPECT_EQ(bucket_of(kLatencyBoundsUs[i] - 1), i);
    EXPECT_EQ(bucket_of(kLatencyBoundsUs[i] + 1), i + 1);
  }
  EXPECT_EQ(bucket_of(UINT64_MAX), kLatencyBoundsUs.size());
}

TEST(Histogram, AgreesWithAPlainSearch) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t us = random() >> (random() % 64);
    const auto* bound = std::lower_bound(kLatencyBoundsUs.begin(), kLatencyBoundsUs.end(), us);
    ASSERT_EQ(bucket_of(us), static_cast<size_t>(bound - kLatencyBoundsUs.begin())) << us;
  }
}

TEST(Histogram, SumsMicroseconds) {
  Histogram histogram;
  histogram.observe_us(40);
  histogram.observe_us(2'000'000);
  EXPECT_EQ(histogram.sum_us(), 2'000'040u);
}

TEST(CodeClass, UnknownStatusCountsAs5xx) {
  EXPECT_EQ(code_class(101), 0u);
  EXPECT_EQ(code_class(204), 1u);
  EXPECT_EQ(code_class(599), 4u);
  EXPECT_EQ(code_class(0), 4u);
  EXPECT_EQ(code_class(600), 4u);
}

TEST(WorkerMetrics, EndpointsHaveTheirOwnCells) {
  // On the heap: the address sanitizer's stack does not align to 64 bytes.
  const auto owned = std::make_unique<WorkerMetrics>(3);
  WorkerMetrics& metrics = *owned;
  metrics.endpoint(2).websockets_open.add(5);
  metrics.endpoint(2).websockets_open.sub(2);
  EXPECT_EQ(metrics.endpoint(2).websockets_open.get(), 3u);
  EXPECT_EQ(metrics.endpoint(1).websockets_open.get(), 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(&metrics.endpoint(1)) % 64, 0u);
}

TEST(WorkerMetricsDeathTest, SlotOutOfRangeIsOurBug) {
  const auto metrics = std::make_unique<WorkerMetrics>(1);
  EXPECT_DEATH(metrics->endpoint(1), "slot < slots_");
}

}  // namespace kg::metrics::worker_metrics_test
