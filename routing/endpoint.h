// Endpoint: one interactive endpoint as a worker needs it. A value; immutable once published.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "auth/session_verifier.h"
#include "proxy/base/limits.h"
#include "proxy/base/secret.h"
#include "proxy/event/address.h"
#include "proxy/tls/tls_client_context.h"

namespace kg::routing {

// Bounds of one worker's connections to one pod.
struct PoolLimits {
  uint32_t active_max = limits::kUpstreamActivePerPodMax;
  uint32_t queue_max = limits::kUpstreamQueuePerPodMax;
  uint32_t connect_ms = limits::kUpstreamConnectMs;
  uint32_t idle_ms = limits::kUpstreamIdleMs;
};

// How a pod is reached by TLS.
struct PodTls {
  tls::PeerName name;
  // One for each thread that connects: the workers in order, then the control thread.
  std::vector<std::shared_ptr<const tls::TlsClientContext>> contexts;
};

struct Pod {
  std::string name;
  event::SocketAddress address;
  PoolLimits limits;
  std::shared_ptr<const PodTls> tls;  // null: plain HTTP
};

struct HealthCheck {
  bool enabled = false;
  std::string path;
  uint32_t interval_ms = 0;
  uint32_t timeout_ms = 0;
  uint32_t unhealthy_after = 1;
  uint32_t healthy_after = 1;
};

struct Endpoint {
  std::string id;
  std::string virtual_cluster;
  std::string path_prefix;  // "" or "/a/b"
  bool strip_prefix = true;
  bool forward_other_paths = false;
  Secret gateway_token;  // empty: the gateway wants none
  Pod pod;               // several pods need kernel placement, which refuses to guess (domain J23)
  HealthCheck health;
  uint32_t launch_timeout_ms = 0;
  uint32_t metrics_slot = 0;
  std::shared_ptr<const auth::SessionVerifier> sessions;

  // Before an absolute-path Location of the gateway (domain G5).
  const std::string& location_prefix() const noexcept;
};

}  // namespace kg::routing
