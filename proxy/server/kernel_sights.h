// KernelSights: what the open WebSockets of each worker know of their kernels.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "proxy/exchange/kernel_sight.h"

namespace kg::server {

// By worker.
using KernelSights = std::vector<std::pair<size_t, std::vector<exchange::KernelSight>>>;

}  // namespace kg::server
