// WebSocketSettings: what `websocket` in the configuration says about every open WebSocket.
#pragma once

#include <cstdint>
#include <limits>

#include "proxy/base/limits.h"

namespace kg {

struct WebSocketSettings {
  uint32_t ping_after_ms = limits::kPingAfterMs;
  uint32_t client_dead_after_ms = limits::kClientDeadMs;
  uint32_t gateway_dead_after_ms = limits::kGatewayDeadMs;
  uint64_t message_bytes_max = std::numeric_limits<uint64_t>::max();  // none
  bool kernel_activity = true;  // what kernels do is read from their messages
};

}  // namespace kg
