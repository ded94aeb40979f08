#include "proxy/server/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include "proxy/base/limits.h"

namespace kg::server {

DescriptorBounds raise_descriptor_limit(uint32_t connections) noexcept {
  rlimit bounds{};
  if (getrlimit(RLIMIT_NOFILE, &bounds) != 0) return {0, std::numeric_limits<int>::max()};
  // A WebSocket takes one descriptor to the client and one to the gateway.
  const rlim_t wanted = rlim_t{connections} * 2 + limits::kDescriptorsLeftMax;
  const rlim_t raised = std::min(bounds.rlim_max, std::max(bounds.rlim_cur, wanted));
  if (raised > bounds.rlim_cur) {
    const rlimit higher{raised, bounds.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &higher) == 0) bounds = higher;
  }
  const rlim_t most = std::min<rlim_t>(bounds.rlim_cur, std::numeric_limits<int>::max());
  const rlim_t left =
      std::clamp<rlim_t>(most / 8, limits::kDescriptorsLeftMin, limits::kDescriptorsLeftMax);
  return {most, static_cast<int>(most - std::min(left, most / 2))};
}

}  // namespace kg::server
