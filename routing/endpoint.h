// Endpoint: one interactive endpoint as a worker needs it. A value; immutable once published.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "auth/sessions.h"
#include "proxy/base/secret.h"
#include "proxy/base/session_rules.h"
#include "proxy/base/settings.h"
#include "proxy/event/address.h"
#include "proxy/kernel/launch_body.h"
#include "routing/kernel_changes.h"
#include "routing/pod.h"

namespace kg::routing {

struct HealthCheck {
  bool enabled = false;
  std::string path;
  uint32_t interval_ms = 0;
  uint32_t timeout_ms = 0;
  uint32_t unhealthy_after = 1;
  uint32_t healthy_after = 1;
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
  bool notebook_sessions = false;     // clients may use the session API of Jupyter servers
  Secret gateway_token;               // empty: the gateway wants none
  bool forwards_credentials = false;  // the caller's own token goes up instead
  std::vector<Pod> pods;              // 1 to 64, as configured
  bool replication = false;           // a pod can load the kernels of one that is gone (domain J20)
  uint32_t list_stale_ms = limits::kListStaleMs;
  uint32_t gone_after_ms = 0;  // of failing health checks, until a pod counts as gone
  HealthCheck health;
  uint32_t census_ms = 0;  // from one list of a pod's kernels to the next; 0: none
  uint32_t launch_timeout_ms = 0;
  uint32_t launches_max = limits::kLaunchesMax;  // at a time, of this process, on each pod
  uint32_t launch_queue_max = limits::kLaunchQueueMax;
  uint32_t reconnect_ms = 0;  // how long a lost gateway is tried under an open WebSocket; 0: off
  KernelPolicy kernels;
  kernel::LaunchRules launch_rules;
  uint32_t metrics_slot = 0;
  auth::SessionsRef sessions;
  SessionRules session_rules;
  std::string session_cookie;                // its name, "" for none
  std::vector<std::string> allowed_origins;  // whose pages may use the endpoint, beside its hosts'
  event::AddressRanges allow_sources;        // of clients; empty: all
  PrincipalQuotas quotas;
  IdentityHeaders identity_headers;
  std::shared_ptr<KernelChanges> kernel_changes = std::make_shared<KernelChanges>();

  // Before an absolute-path Location of the gateway (domain G5).
  const std::string& location_prefix() const noexcept;
};

}  // namespace kg::routing
