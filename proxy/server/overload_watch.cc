#include "proxy/server/overload_watch.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

#include "metrics/process_usage.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::server {

using metrics::Limit;

OverloadWatch::OverloadWatch(event::EventLoop& loop, exchange::Admission& admission,
                             std::function<uint64_t(Limit)> hits, std::function<void()> release)
    : admission_(admission),
      hits_(std::move(hits)),
      release_(std::move(release)),
      timer_(loop, [this] { look(); }) {}

void OverloadWatch::start(const Limits& limits) {
  set_limits(limits);
  timer_.arm_ms(limits::kOverloadLookMs);
}

void OverloadWatch::set_limits(const Limits& limits) {
  const uint64_t cgroup = cgroup_memory_bytes();
  high_bytes_ = limits.memory_bytes != 0 ? limits.memory_bytes
                                         : cgroup / 100 * limits::kMemoryPercentOfCgroup;
}

void OverloadWatch::look() {
  look_at_memory();
  look_at(active_.descriptors, hits_(Limit::kDescriptors), descriptors_seen_, descriptors_last_us_,
          "descriptors", "raise the descriptor limit (ulimit -n) or add a replica");
  look_at(active_.connections, hits_(Limit::kConnections) + hits_(Limit::kConnectionsPerWorker),
          connections_seen_, connections_last_us_, "connections",
          "raise limits.connections and limits.connections_per_worker or add a replica");
  timer_.arm_ms(limits::kOverloadLookMs);
}

void OverloadWatch::look_at_memory() {
  const uint64_t resident = metrics::resident_bytes();
  const bool was_active = active_.memory;
  const uint64_t mark = was_active ? high_bytes_ / 10 * 9 : high_bytes_;
  active_.memory = high_bytes_ != 0 && resident >= mark;
  admission_.short_of_memory.store(active_.memory, std::memory_order_relaxed);
  if (active_.memory) release_();
  if (active_.memory == was_active) return;
  if (active_.memory) {
    log::warn("server",
              "overload begins resource=memory resident_bytes={} high_bytes={}; give it more "
              "memory or add a replica",
              resident, high_bytes_);
  } else {
    log::info("server", "overload ended resource=memory resident_bytes={} shed_since_start={}",
              resident, hits_(Limit::kMemoryBytes));
  }
}

void OverloadWatch::look_at(bool& active, uint64_t hits, uint64_t& seen, uint64_t& last_us,
                            const char* resource, const char* remedy) {
  const uint64_t now = event::monotonic_us();
  if (hits > seen) {
    last_us = now;
    if (!active) log::warn("server", "overload begins resource={}; {}", resource, remedy);
    active = true;
  } else if (active && now - last_us >= uint64_t{limits::kOverloadCalmMs} * 1'000) {
    log::info("server", "overload ended resource={} shed_since_start={}", resource, hits);
    active = false;
  }
  seen = hits;
}

uint64_t cgroup_memory_bytes() {
  std::ifstream file("/proc/self/cgroup");
  std::string path;
  while (std::getline(file, path) && !path.starts_with("0::/")) path.clear();
  if (path.empty()) return 0;
  path.erase(0, 3);
  uint64_t least = 0;
  for (;;) {
    std::ifstream bound("/sys/fs/cgroup" + path + "/memory.max");
    uint64_t bytes = 0;
    if (bound >> bytes && (least == 0 || bytes < least)) least = bytes;  // "max" is no number
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return least;
    path.erase(slash);
  }
}

}  // namespace kg::server
