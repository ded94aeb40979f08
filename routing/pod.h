// Pod: one gateway replica as a worker needs it. A value; immutable once published, but for what
// its PodFacts say.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/limits.h"
#include "proxy/event/address.h"
#include "proxy/tls/tls_client_context.h"
#include "routing/pod_facts.h"
#include "routing/tls_context_book.h"

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
  std::shared_ptr<const TlsContextBook::Contexts> contexts;
};

struct Pod {
  std::string name;
  uint32_t tag = 0;  // of the name, as it stands in kernel ids
  event::SocketAddress address;
  PoolLimits limits;
  std::shared_ptr<const PodTls> tls;  // null: plain HTTP
  PodFactsRef facts = std::make_shared<PodFacts>();
  // A pod before it in the list has the same tag: ids could not tell them apart.
  bool twin = false;

  bool takes_new() const noexcept { return !twin && facts->takes_new(); }
};

}  // namespace kg::routing
