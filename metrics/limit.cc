#include "metrics/limit.h"

namespace kg::metrics {

std::string_view limit_label(Limit limit) noexcept {
  switch (limit) {
    case Limit::kHandshake:
      return "handshake";
    case Limit::kRequestHead:
      return "request_head";
    case Limit::kRequestBodyIdle:
      return "request_body_idle";
    case Limit::kKeepAlive:
      return "keep_alive";
    case Limit::kWriteStall:
      return "write_stall";
    case Limit::kResponseIdle:
      return "response_idle";
    case Limit::kFirstByte:
      return "first_byte";
    case Limit::kUriBytes:
      return "uri_bytes";
    case Limit::kHeaderBytes:
      return "header_bytes";
    case Limit::kHeaderCount:
      return "header_count";
    case Limit::kBodyMinRate:
      return "body_min_rate";
    case Limit::kRequestsPerConnection:
      return "requests_per_connection";
    case Limit::kConnections:
      return "connections";
    case Limit::kConnectionsPerWorker:
      return "connections_per_worker";
    case Limit::kConnectionsPerAddress:
      return "connections_per_address";
    case Limit::kRequestsPerClient:
      return "requests_per_client";
    case Limit::kWebSockets:
      return "websockets";
    case Limit::kLaunches:
      return "launches";
    case Limit::kKernels:
      return "kernels";
    case Limit::kRequestsPerSecond:
      return "requests_per_second";
    case Limit::kLaunchQueueMax:
      return "launch_queue_max";
    case Limit::kKernelLaunchTimeout:
      return "kernel_launch_timeout";
    case Limit::kNotebooks:
      return "notebooks";
    case Limit::kSessionChecks:
      return "session_checks";
    case Limit::kDescriptors:
      return "descriptors";
    case Limit::kMemoryBytes:
      return "memory_bytes";
  }
  return "";
}

}  // namespace kg::metrics
