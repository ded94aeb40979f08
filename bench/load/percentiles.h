// Percentiles of measured times, by the nearest-rank method: each one is a value that occurred.
#pragma once

#include <cstddef>
#include <vector>

namespace kg::bench {

// In the unit of the values; all zero without any.
struct Percentiles {
  size_t count = 0;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double max = 0;
};

Percentiles percentiles_of(std::vector<double> values);

}  // namespace kg::bench
