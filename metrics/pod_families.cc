#include "metrics/pod_families.h"

#include <algorithm>
#include <array>
#include <utility>

namespace kg::metrics {
namespace {

struct PodMetric {
  const char* name;
  MetricType type;
  bool of_checks;  // only for pods that are checked
  double (*value)(const PodFact& pod);
  const char* help;
};

constexpr std::array<PodMetric, 6> kPodMetrics{{
    {"kernelgate_pod_healthy", MetricType::Gauge, true,
     [](const PodFact& pod) { return pod.healthy ? 1.0 : 0.0; },
     "1 unless a gateway pod fails its health checks."},
    {"kernelgate_pod_gone", MetricType::Gauge, true,
     [](const PodFact& pod) { return pod.gone ? 1.0 : 0.0; },
     "1 once a gateway pod failed its health checks for gone_after."},
    {"kernelgate_pod_restarts_suspected_total", MetricType::Counter, false,
     [](const PodFact& pod) { return static_cast<double>(pod.restarts); },
     "Times that a gateway pod may have restarted and forgotten its kernels."},
    {"kernelgate_pod_cordoned", MetricType::Gauge, false,
     [](const PodFact& pod) { return pod.cordoned ? 1.0 : 0.0; },
     "1 while a gateway pod is closed for new kernels by an admin call."},
    {"kernelgate_pod_launches_active", MetricType::Gauge, false,
     [](const PodFact& pod) { return static_cast<double>(pod.launches); },
     "Kernel starts of this process that a gateway pod is at work on."},
    {"kernelgate_pod_websockets", MetricType::Gauge, false,
     [](const PodFact& pod) { return static_cast<double>(pod.websockets); },
     "WebSockets of this process that are open to a gateway pod."},
}};

Labels labels_of(const EndpointName& name) {
  return {{"endpoint", name.endpoint}, {"virtual_cluster", name.virtual_cluster}};
}

// Calls tell(pod, labels) for each pod that has series of its own.
template <class Tell>
void for_each_pod(const std::vector<EndpointName>& names, const std::vector<PodFact>& pods,
                  Tell&& tell) {
  for (const PodFact& pod : pods) {
    if (pod.slot == 0 || pod.slot >= names.size()) continue;  // 0 is shared by many endpoints
    tell(pod, with(labels_of(names[pod.slot]), "pod", pod.pod));
  }
}

MetricFamily kernels_of(const std::vector<EndpointName>& names, const std::vector<PodFact>& pods) {
  MetricFamily family = make_family("kernelgate_pod_kernels", MetricType::Gauge,
                                    "Kernels of a gateway pod when it was last asked, by state.");
  for_each_pod(names, pods, [&](const PodFact& pod, const Labels& labels) {
    if (!pod.kernels) return;
    add_sample(family, with(labels, "state", "busy"), static_cast<double>(pod.kernels->busy));
    add_sample(family, with(labels, "state", "idle"), static_cast<double>(pod.kernels->idle));
    add_sample(family, with(labels, "state", "other"), static_cast<double>(pod.kernels->other));
  });
  return family;
}

MetricFamily checks_of(const std::vector<EndpointName>& names,
                       const std::vector<EndpointHealth>& health) {
  MetricFamily family = make_family("kernelgate_pod_health_checks_total", MetricType::Counter,
                                    "Health checks of gateway pods by result.");
  for (size_t slot = 0; slot < std::min(names.size(), health.size()); ++slot) {
    const EndpointHealth& found = health[slot];
    if (!found.checked && found.passed + found.failed == 0) continue;
    const Labels labels = labels_of(names[slot]);
    add_sample(family, with(labels, "result", "ok"), static_cast<double>(found.passed));
    add_sample(family, with(labels, "result", "failed"), static_cast<double>(found.failed));
  }
  return family;
}

}  // namespace

void collect_pods(const std::vector<EndpointName>& names, const ProcessFacts& facts,
                  std::vector<MetricFamily>& out) {
  for (const PodMetric& row : kPodMetrics) {
    MetricFamily family = make_family(row.name, row.type, row.help);
    for_each_pod(names, facts.pods, [&](const PodFact& pod, const Labels& labels) {
      if (pod.checked || !row.of_checks) add_sample(family, labels, row.value(pod));
    });
    out.push_back(std::move(family));
  }
  out.push_back(kernels_of(names, facts.pods));
  out.push_back(checks_of(names, facts.health));
}

}  // namespace kg::metrics
