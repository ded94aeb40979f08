// LocalPod: one worker's side of one pod of an endpoint: its connections, its list of kernels, and
// what its answers say of its health.
//
// Owner: the LocalEndpoint. Thread: the worker's.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/upstream/kernel_lists.h"
#include "proxy/upstream/outlier_detector.h"
#include "proxy/upstream/pod_pool.h"
#include "proxy/upstream/revivals.h"
#include "routing/endpoint.h"

namespace kg::upstream {

struct LocalPod {
  LocalPod(event::EventLoop& loop, metrics::WorkerMetrics& metrics,
           metrics::EndpointMetrics& endpoint_counters, const routing::Endpoint& of,
           const routing::Pod& itself, size_t thread)
      : endpoint(of),
        pod(itself),
        counters(endpoint_counters),
        pool(loop, metrics, counters, pod, thread),
        revivals(loop, pool, counters, endpoint, pod),
        lists(loop, *this) {}
  ~LocalPod();
  LocalPod(const LocalPod&) = delete;
  LocalPod& operator=(const LocalPod&) = delete;

  // Takes what any pod could do: new kernels, kernel specs.
  bool ready(uint64_t now_us) const noexcept {
    return pod.takes_new() && !outlier.backs_off(now_us);
  }
  // What came of a request that went to the pod: a status, or an error instead of an answer.
  void answered(uint16_t status, uint64_t now_us);
  void failed(ErrorCode code, uint64_t now_us);

  const routing::Endpoint& endpoint;
  const routing::Pod& pod;
  metrics::EndpointMetrics& counters;
  PodPool pool;
  Revivals revivals;
  KernelLists lists;
  OutlierDetector outlier;

 private:
  void suspect(std::string_view last, uint64_t now_us);
};

}  // namespace kg::upstream
