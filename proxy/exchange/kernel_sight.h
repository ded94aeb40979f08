// KernelSight: what an operator is shown of the kernel behind an open WebSocket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "metrics/worker_metrics.h"

namespace kg::exchange {

// Times are monotonic, 0: never.
struct KernelSight {
  std::string kernel_id;
  std::string endpoint;
  metrics::KernelState state;
  size_t cells_in_flight;
  uint64_t last_human_us;
  uint64_t last_message_us;
};

}  // namespace kg::exchange
