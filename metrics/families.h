// How metric families are made of workers' cells. For exporter.cc and kernel_families.cc.
#pragma once

#include <prometheus/metric_family.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/endpoint_slots.h"
#include "metrics/worker_metrics.h"

namespace kg::metrics {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Label = ClientMetric::Label;
using Labels = std::vector<Label>;
using Workers = std::vector<const WorkerMetrics*>;

constexpr double kSecondInMicros = 1e6;
// Relaxed cells of several workers are not read at one instant: what one worker added and another
// took away may look like less than nothing for a moment.
inline double sample_value(MetricType type, uint64_t sum) noexcept {
  if (type == MetricType::Counter) return static_cast<double>(sum);
  return static_cast<double>(std::max<int64_t>(0, static_cast<int64_t>(sum)));
}

inline void add_sample(MetricFamily& family, Labels labels, double value) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

inline MetricFamily make_family(const char* name, MetricType type, const char* help) {
  return {name, help, type, {}};
}

inline MetricFamily single(const char* name, MetricType type, const char* help, double value) {
  MetricFamily family = make_family(name, type, help);
  add_sample(family, {}, value);
  return family;
}

template <class Get>
uint64_t sum_over(const Workers& workers, Get&& get) {
  uint64_t sum = 0;
  for (const WorkerMetrics* worker : workers) sum += get(*worker);
  return sum;
}

template <class Get>
ClientMetric::Histogram sum_histogram(const Workers& workers, Get&& get) {
  ClientMetric::Histogram out;
  for (size_t i = 0; i <= kLatencyBoundsUs.size(); ++i) {
    out.sample_count +=
        sum_over(workers, [&](const WorkerMetrics& worker) { return get(worker).bucket(i); });
    if (i < kLatencyBoundsUs.size()) {
      const double bound = static_cast<double>(kLatencyBoundsUs[i]) / kSecondInMicros;
      out.bucket.push_back({out.sample_count, bound});
    }
  }
  const uint64_t sum_us =
      sum_over(workers, [&](const WorkerMetrics& worker) { return get(worker).sum_us(); });
  out.sample_sum = static_cast<double>(sum_us) / kSecondInMicros;
  return out;
}

inline Labels with(Labels labels, const char* name, std::string_view value) {
  labels.push_back({name, std::string(value)});
  return labels;
}

// One family with the samples that `add` makes of each endpoint: add(family, labels, sum), where
// sum(get) adds get(EndpointMetrics) up over the workers.
template <class Add>
MetricFamily by_endpoint(const Workers& workers, const std::vector<EndpointName>& names,
                         const char* name, MetricType type, const char* help, Add&& add) {
  MetricFamily family = make_family(name, type, help);
  for (uint32_t slot = 0; slot < names.size(); ++slot) {
    const Labels labels{{"endpoint", names[slot].endpoint},
                        {"virtual_cluster", names[slot].virtual_cluster}};
    add(family, labels, [&](auto&& get) {
      return sum_over(workers, [&](const WorkerMetrics& w) { return get(w.endpoint(slot)); });
    });
  }
  return family;
}

}  // namespace kg::metrics
