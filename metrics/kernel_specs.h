// KernelSpecs: which kernel spec a kernel was started from, as far as this process started it, and
// the place of each spec in every worker's counters.
//
// Thread: any, guarded; asked when kernels start and WebSockets open.
// Limits: the first kSpecSlots - 1 specs get a slot of their own, the rest and kernels that nobody
//         here started share slot 0, `other`; kKernelsMax kernels are remembered, the oldest go.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/worker_metrics.h"

namespace kg::metrics {

class KernelSpecs {
 public:
  static constexpr size_t kKernelsMax = 16'384;

  // A gateway started that kernel; `spec` is "" where it chose its default.
  void started(std::string_view kernel_id, std::string_view spec);
  uint32_t slot_of(std::string_view kernel_id) const;
  std::vector<std::string> names() const;  // by slot

 private:
  uint32_t slot_for(std::string_view spec);

  mutable std::mutex mutex_;
  std::vector<std::string> names_{"other"};
  std::unordered_map<std::string, uint32_t> kernels_;
  std::deque<std::string> oldest_;  // of kernels_
};

}  // namespace kg::metrics
