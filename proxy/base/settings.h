// Settings: timeouts and limits of the client's side as they are configured (`timeouts`, `limits`,
// `websocket`).
//
// Plain values. Every worker has its own copy, replaced whole by a reload between two turns: what
// begins after it (a connection, a request, a wait) meets the new values, nothing open is cut.
// Defaults and hard bounds stand in limits.h, ranges in config/schema.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proxy/base/limits.h"
#include "proxy/base/websocket_settings.h"

namespace kg {

// Until the first byte of an answer, by operation (domain R6).
struct FirstByteMs {
  uint32_t launch_margin = limits::kLaunchMarginMs;  // after KERNEL_LAUNCH_TIMEOUT
  uint32_t list = limits::kListMs;                   // list, get, interrupt, specs
  uint32_t restart = 0;  // 0: the endpoint's launch timeout and the margin
  uint32_t del = limits::kDeleteMs;
  uint32_t upgrade = limits::kUpgradeMs;
  uint32_t other = limits::kBodySilenceMs;
};

struct Timeouts {
  uint32_t handshake_ms = limits::kHandshakeMs;
  uint32_t request_head_ms = limits::kRequestHeadMs;
  uint32_t request_body_idle_ms = limits::kBodyStallMs;
  uint32_t keep_alive_ms = limits::kKeepAliveMs;
  uint32_t write_stall_ms = limits::kWriteStallMs;
  uint32_t response_idle_ms = limits::kBodySilenceMs;
  FirstByteMs first_byte_ms;
};

// 0 means no limit where config/README.md says so.
struct Limits {
  size_t uri_bytes = limits::kRequestLineBytesMax;  // of the whole request line
  size_t header_bytes = limits::kHeadBytesMax;      // of the whole head
  uint32_t header_count = limits::kHeaderCountMax;
  uint32_t body_min_rate = limits::kBodyMinRate;  // bytes per second
  uint32_t connections = limits::kConnectionsMax;
  uint32_t connections_per_worker = limits::kConnectionsPerWorkerMax;
  uint32_t connections_per_address = limits::kConnectionsPerAddressMax;
  uint32_t requests_per_client = limits::kRequestsPerClientMax;
  uint32_t requests_per_connection = limits::kRequestsPerConnectionMax;
  uint64_t memory_bytes = 0;
};

// What one principal may hold and do at one endpoint. 0: no such quota.
struct PrincipalQuotas {
  uint32_t websockets = limits::kWebSocketsPerPrincipalMax;
  uint32_t launches = limits::kLaunchesPerPrincipalMax;  // at a time
  uint32_t kernels = 0;                                  // running and starting
  uint32_t requests_per_second = 0;
  uint32_t request_burst = 1;  // at once after a pause

  bool operator==(const PrincipalQuotas&) const = default;
};

struct Settings {
  Timeouts timeouts;
  Limits limits;
  WebSocketSettings websocket;
};

}  // namespace kg
