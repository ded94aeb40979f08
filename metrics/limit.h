// The bounds that count when they act: labels of kernelgate_limits_hit_total.
//
// A label is the last word of the configuration key that sets the bound (config/README.md);
// `descriptors`, which the system bounds; `notebooks` or `session_checks`; stable for ever.
#pragma once

#include <cstdint>
#include <string_view>

namespace kg::metrics {

enum class Limit : uint8_t {
  // Timeouts.
  kHandshake,
  kRequestHead,
  kRequestBodyIdle,
  kKeepAlive,
  kWriteStall,
  kResponseIdle,
  kFirstByte,
  // Sizes and rates of one request.
  kUriBytes,
  kHeaderBytes,
  kHeaderCount,
  kBodyMinRate,
  // Connections.
  kRequestsPerConnection,
  kConnections,
  kConnectionsPerWorker,
  kConnectionsPerAddress,
  kRequestsPerClient,
  // Of one principal at one endpoint.
  kWebSockets,
  kLaunches,
  kKernels,
  kRequestsPerSecond,
  // Of all kernel starts of an endpoint.
  kLaunchQueueMax,
  kKernelLaunchTimeout,
  // Of sessions of notebooks (exchange/notebook_table.h).
  kNotebooks,
  // Of what bad credentials may cost (auth/check_budget.h).
  kSessionChecks,
  // What the process has.
  kDescriptors,
  kMemoryBytes,
};

inline constexpr uint8_t kLimitCount = static_cast<uint8_t>(Limit::kMemoryBytes) + 1;

std::string_view limit_label(Limit limit) noexcept;

}  // namespace kg::metrics
