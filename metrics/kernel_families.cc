#include "metrics/kernel_families.h"

#include <array>

namespace kg::metrics {
namespace {

constexpr std::array<const char*, kKernelStates> kStateNames{"unknown", "busy", "idle"};
// In the order of kernel::Channel.
constexpr std::array<const char*, kMessageChannels> kChannelNames{"other", "shell", "control",
                                                                  "stdin", "iopub", "unread"};

template <size_t kCount>
MetricFamily by_name(const Workers& workers, const std::vector<EndpointName>& endpoints,
                     const char* name, MetricType type, const char* help, const char* label,
                     const std::array<const char*, kCount>& values,
                     std::array<Cell, kCount> EndpointMetrics::*cells) {
  return by_endpoint(
      workers, endpoints, name, type, help,
      [&](MetricFamily& family, const Labels& labels, auto sum) {
        for (size_t i = 0; i < kCount; ++i) {
          const uint64_t value = sum([&](const EndpointMetrics& e) { return (e.*cells)[i].get(); });
          add_sample(family, with(labels, label, values[i]), sample_value(type, value));
        }
      });
}

MetricFamily by_spec(const Workers& workers, const std::vector<std::string>& specs,
                     const char* name, const char* help, Histogram CellMetrics::*histogram) {
  MetricFamily family = make_family(name, MetricType::Histogram, help);
  for (size_t slot = 0; slot < specs.size(); ++slot) {
    ClientMetric metric;
    metric.histogram = sum_histogram(workers, [&](const WorkerMetrics& w) -> const Histogram& {
      return w.cells[slot].*histogram;
    });
    if (metric.histogram.sample_count == 0 && slot > 0) continue;
    metric.label = {{"kernelspec", specs[slot]}};
    family.metric.push_back(std::move(metric));
  }
  return family;
}

}  // namespace

void collect_kernels(const Workers& workers, const std::vector<EndpointName>& endpoints,
                     const std::vector<std::string>& specs, std::vector<MetricFamily>& out) {
  out.push_back(by_name(workers, endpoints, "kernelgate_kernel_websockets", MetricType::Gauge,
                        "Open WebSockets by what their kernel was last heard to do.", "state",
                        kStateNames, &EndpointMetrics::kernels));
  out.push_back(by_name(workers, endpoints, "kernelgate_kernel_messages_total", MetricType::Counter,
                        "Kernel messages relayed, by channel.", "channel", kChannelNames,
                        &EndpointMetrics::kernel_messages));
  out.push_back(by_spec(workers, specs, "kernelgate_kernel_first_output_seconds",
                        "Time from an execute request to the first output of its cell.",
                        &CellMetrics::first_output));
  out.push_back(by_spec(workers, specs, "kernelgate_kernel_reply_seconds",
                        "Time from an execute request to its reply.", &CellMetrics::reply));
}

}  // namespace kg::metrics
