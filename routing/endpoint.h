// Endpoint: one interactive endpoint as a worker needs it. A value; immutable once published.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "auth/sessions.h"
#include "proxy/base/limits.h"
#include "proxy/base/secret.h"
#include "proxy/base/session_rules.h"
#include "proxy/base/settings.h"
#include "proxy/event/address.h"
#include "proxy/kernel/launch_body.h"
#include "proxy/tls/tls_client_context.h"

namespace kg::routing {

// Bounds of one worker's connections to one pod.
struct PoolLimits {
  uint32_t active_max = limits::kUpstreamActivePerPodMax;
  uint32_t queue_max = limits::kUpstreamQueuePerPodMax;
  uint32_t queue_ms = limits::kUpstreamQueueMs;
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

// How often this process has made or deleted a kernel of an endpoint. Whatever was read of its
// kernels before a change is out of date. Thread: any.
class KernelChanges {
 public:
  void note() noexcept { count_.fetch_add(1, std::memory_order_acq_rel); }
  uint64_t count() const noexcept { return count_.load(std::memory_order_acquire); }

 private:
  alignas(64) std::atomic<uint64_t> count_{0};
};

// Names of the headers that tell the gateway who asks; "": not told.
struct IdentityHeaders {
  std::string subject;
  std::string realm;
  std::string groups;
  std::string role;
};

// Who may use the kernels of an endpoint.
struct KernelPolicy {
  enum class Sharing : uint8_t { kOwner, kGroup, kEndpoint };
  Sharing sharing = Sharing::kOwner;  // of those that are created from now on
  std::string group;                  // kGroup: its members, who alone may create one
  bool foreign_ids = false;           // ids that were not minted here are for everybody
};

struct Endpoint {
  std::string id;
  std::string virtual_cluster;
  std::string path_prefix;  // "" or "/a/b"
  bool strip_prefix = true;
  bool forward_other_paths = false;
  Secret gateway_token;               // empty: the gateway wants none
  bool forwards_credentials = false;  // the caller's own token goes up instead
  Pod pod;  // several pods need kernel placement, which refuses to guess (domain J23)
  HealthCheck health;
  uint32_t launch_timeout_ms = 0;
  KernelPolicy kernels;
  kernel::LaunchRules launch_rules;
  uint32_t metrics_slot = 0;
  auth::SessionsRef sessions;
  SessionRules session_rules;
  std::string session_cookie;                // its name, "" for none
  std::vector<std::string> allowed_origins;  // whose pages may use the endpoint, beside its hosts'
  PrincipalQuotas quotas;
  IdentityHeaders identity_headers;
  std::shared_ptr<KernelChanges> kernel_changes = std::make_shared<KernelChanges>();

  // Before an absolute-path Location of the gateway (domain G5).
  const std::string& location_prefix() const noexcept;
};

}  // namespace kg::routing
