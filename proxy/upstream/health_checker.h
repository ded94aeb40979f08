// HealthChecker asks every gateway pod at intervals whether it answers: GET with the endpoint's
// token, over a connection of its own, as a request would come. 200 is healthy (domain J3).
//
// One per process, so that a gateway is asked once however many workers there are. It writes what
// it finds into the pod's PodFacts:
//   healthy  HealthState says so
//   gone     unhealthy, and no check passed for the endpoint's gone_after; until it is healthy
//   again restarts one more when an unhealthy pod is healthy again: it may have come back empty
// Owner:  the PodKeeper. Thread: control. Limits: one check per pod at a time; interval and timeout
//         are the endpoint's, but for kHealthChecksPerSecond of all pods. The first check comes
//         after a part of the interval by chance, and each interval varies by a tenth, so that pods
//         and proxies do not beat together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "metrics/exporter.h"
#include "metrics/worker_metrics.h"
#include "proxy/event/event_loop.h"
#include "proxy/upstream/chance.h"
#include "proxy/upstream/health_state.h"
#include "routing/route_snapshot.h"

namespace kg::upstream {

class PodCheck;

// Of all pods together: 90 us of CPU each, on the thread that also takes what controllers announce.
inline constexpr uint64_t kHealthChecksPerSecond = 1'000;

class HealthChecker {
 public:
  // `thread`: index of the calling thread among those that connect. `slots`: of endpoints' metrics.
  HealthChecker(event::EventLoop& loop, size_t thread, uint32_t slots);
  ~HealthChecker();

  // These endpoints from now on. What is known of a pod stays known; a pod that is not checked
  // counts as healthy.
  void apply(const std::vector<routing::EndpointRef>& endpoints);
  // Those no more, and these from now on.
  void edit(const std::vector<routing::EndpointRef>& gone,
            const std::vector<routing::EndpointRef>& fresh);
  // By metrics slot.
  std::vector<metrics::EndpointHealth> counts() const;

 private:
  friend class PodCheck;
  using Checks = std::map<const routing::PodFacts*, std::unique_ptr<PodCheck>>;
  void begin(const std::vector<routing::EndpointRef>& endpoints, const Checks& before);
  uint64_t interval_ms(const routing::Endpoint& endpoint) const noexcept;

  event::EventLoop& loop_;
  size_t thread_;
  metrics::WorkerMetrics unexported_{1};  // of its connections: they serve no request
  Chance chance_;
  std::vector<metrics::EndpointHealth> counts_;
  Checks checks_;
  uint64_t interval_min_ms_ = 0;  // by the number of pods
};

}  // namespace kg::upstream
