#include "proxy/upstream/local_pod.h"

#include "proxy/base/log.h"

namespace kg::upstream {
namespace {

// What the pod, not its application, did to a request. Our own deadlines are not among them: a
// kernel start may be slow on a pod that is well.
bool blames_the_pod(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kUpstreamConnect:
    case ErrorCode::kUpstreamConnectTimeout:
    case ErrorCode::kUpstreamTls:
    case ErrorCode::kUpstreamReset:
    case ErrorCode::kUpstreamProtocol:
    case ErrorCode::kUpstreamGone:
      return true;
    default:
      return false;
  }
}

}  // namespace

LocalPod::~LocalPod() {
  if (outlier.suspects()) counters.pod_suspect.sub();
}

void LocalPod::answered(uint16_t status, uint64_t now_us) {
  pod.facts->answered();
  if (status >= 502 && status <= 504) return suspect("a gateway's error status", now_us);
  if (!outlier.on_success()) return;
  counters.pod_suspect.sub();
  log::info("upstream", "pod answers again endpoint={} pod={}", endpoint.id, pod.name);
}

void LocalPod::failed(ErrorCode code, uint64_t now_us) {
  if (blames_the_pod(code)) suspect(error_row(code).label, now_us);
}

void LocalPod::suspect(std::string_view last, uint64_t now_us) {
  if (!outlier.on_failure(now_us)) return;
  counters.pod_suspect.add();
  counters.pod_suspected.add();
  log::warn("upstream", "pod suspected endpoint={} pod={} failures={} last=\"{}\"", endpoint.id,
            pod.name, outlier.failures_in_a_row(), last);
}

}  // namespace kg::upstream
