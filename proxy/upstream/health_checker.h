// HealthChecker asks every gateway pod at intervals whether it answers: GET with the endpoint's
// token, over a connection of its own, as a request would come. 200 is healthy (domain J3).
//
// One per process, so that a gateway is asked once however many workers there are. What it finds
// shows in metrics and, at changes, in the log; an endpoint's last pod is asked for kernels all the
// same, because a gateway that fails its checks may still know them.
// Owner:  the server. Thread: control. Limits: one check per pod at a time; interval and timeout
// are
//         the endpoint's. The first check comes after a part of the interval by chance, and each
//         interval varies by a tenth, so that pods and proxies do not beat together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "metrics/exporter.h"
#include "metrics/worker_metrics.h"
#include "proxy/upstream/health_state.h"
#include "proxy/upstream/pod_pool.h"
#include "routing/route_snapshot.h"

namespace kg::upstream {

class PodCheck;

class HealthChecker {
 public:
  // `thread`: index of the calling thread among those that connect. `slots`: of endpoints' metrics.
  HealthChecker(event::EventLoop& loop, size_t thread, uint32_t slots);
  ~HealthChecker();

  // These endpoints from now on. What is known of a pod stays known.
  void apply(const std::vector<routing::EndpointRef>& endpoints);
  // By metrics slot.
  std::vector<metrics::EndpointHealth> facts() const;

 private:
  friend class PodCheck;
  uint64_t part_of(uint64_t milliseconds);

  event::EventLoop& loop_;
  size_t thread_;
  metrics::WorkerMetrics unexported_{1};  // of its connections: they serve no request
  std::minstd_rand chance_;
  std::vector<metrics::EndpointHealth> counts_;
  std::map<std::string, std::unique_ptr<PodCheck>> checks_;  // by endpoint and pod
};

}  // namespace kg::upstream
