// PodReport: what an operator is shown of one gateway pod. A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "proxy/kernel/kernel_census.h"

namespace kg::server {

struct PodReport {
  std::string endpoint;
  std::string pod;
  bool configured = true;  // false: only a cordon is left of it, and nothing below but that
  std::string virtual_cluster;
  std::string address;
  bool takes_new = false;
  std::optional<bool> healthy;  // nothing: it is not checked
  bool gone = false;
  bool cordoned = false;
  bool survives_restart = false;                // of the cordon
  uint64_t restarts = 0;                        // suspected
  uint64_t launches = 0;                        // of this process, in flight
  uint64_t websockets = 0;                      // of this process, open
  std::optional<kernel::KernelCensus> kernels;  // nothing: not known
  uint64_t kernels_age_ms = 0;
  bool empty = false;  // closed for new kernels, and known to have none left

  std::string json() const;  // an object
};

}  // namespace kg::server
