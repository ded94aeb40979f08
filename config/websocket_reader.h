// Reads `websocket`: liveness and limits of open WebSockets.
//
// Thread: control. Problems go to the section's collector.
#pragma once

#include "config/config.h"
#include "config/section.h"
#include "proxy/base/websocket_settings.h"

namespace kg::config {

// Pings must come before the load balancer loses patience: `alb_idle_timeout` bounds them.
WebSocketSettings read_websocket(const Section& root, Millis alb_idle_timeout);

}  // namespace kg::config
