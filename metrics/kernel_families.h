// What kernels are doing, as metric families (KernelActivity of the exchange counts it).
#pragma once

#include <string>
#include <vector>

#include "metrics/families.h"

namespace kg::metrics {

// `specs`: names by slot.
void collect_kernels(const Workers& workers, const std::vector<EndpointName>& endpoints,
                     const std::vector<std::string>& specs, std::vector<MetricFamily>& out);

}  // namespace kg::metrics
