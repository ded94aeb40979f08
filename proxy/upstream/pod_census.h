// PodCensus asks every gateway pod at intervals for its list of kernels and counts them: for the
// choice of pod (PodFacts::kernels), for metrics, and for operators who wait until a pod is empty.
//
// A kernel counts at the pod that holds it: not where its id names another pod of the endpoint,
// unless that one is gone. Gateways go on listing what they once loaded (domain 0.12).
// Owner:  the PodKeeper. Thread: control.
// Limits: one list in flight per pod, of kListBytesMax and kCensusAnswerMs; the endpoint's
//         census_ms from one to the next, give or take a tenth, and kCensusPerSecond of all pods.
// Errors: a pod that does not give its list is logged once; its last count goes on to serve the
//         choice, and is not known any more to all others after kCensusFreshMs or, if that is
//         longer, three intervals.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "metrics/worker_metrics.h"
#include "proxy/event/event_loop.h"
#include "proxy/kernel/kernel_census.h"
#include "proxy/upstream/chance.h"
#include "routing/route_snapshot.h"

namespace kg::upstream {

struct PodCount {
  kernel::KernelCensus kernels;
  uint64_t asked_us = 0;       // monotonic: the list was asked for
  bool launches_then = false;  // this process had kernel starts in flight there
};

class PodCounter;

class PodCensus {
 public:
  // `thread`: index of the calling thread among those that connect.
  PodCensus(event::EventLoop& loop, size_t thread);
  ~PodCensus();

  // These endpoints from now on. What is known of a pod stays known.
  void apply(const std::vector<routing::EndpointRef>& endpoints);
  // Those no more, and these from now on.
  void edit(const std::vector<routing::EndpointRef>& gone,
            const std::vector<routing::EndpointRef>& fresh);
  // What a pod's last list said, if that is known.
  std::optional<PodCount> find(const routing::PodFacts& pod) const;
  // Asks it once more, after `milliseconds`.
  void hurry(const routing::PodFacts& pod, uint64_t milliseconds);

 private:
  friend class PodCounter;
  using Counters = std::map<const routing::PodFacts*, std::unique_ptr<PodCounter>>;
  void begin(const std::vector<routing::EndpointRef>& endpoints, const Counters& before);

  event::EventLoop& loop_;
  size_t thread_;
  metrics::WorkerMetrics unexported_{1};  // of its connections: they serve no request
  Chance chance_;
  Counters counters_;
};

}  // namespace kg::upstream
