// What the control thread knows of gateway pods, as families of samples. Private to metrics/.
//
// Series of single pods are only those of endpoints with a slot of their own, so that there are at
// most metrics.endpoints_max times 64 of each.
#pragma once

#include <vector>

#include "metrics/exporter.h"
#include "metrics/families.h"

namespace kg::metrics {

void collect_pods(const std::vector<EndpointName>& names, const ProcessFacts& facts,
                  std::vector<prometheus::MetricFamily>& out);

}  // namespace kg::metrics
