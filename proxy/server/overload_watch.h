// OverloadWatch: looks once a second whether memory, descriptors or connections are at their bound.
//
//   memory       resident bytes above the high mark: workers shed (Admission::short_of_memory)
//   until
//                they are below the low mark, nine tenths of it
//   descriptors, the workers shed by themselves, connection by connection; here it is noticed, and
//   connections  called over kOverloadCalmMs after the last one
// What begins and what ends is one line of the log each, however many clients were turned away.
// Owner:  the Server. Thread: control.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "metrics/exporter.h"
#include "metrics/limit.h"
#include "proxy/base/settings.h"
#include "proxy/event/watcher.h"
#include "proxy/exchange/admission.h"

namespace kg::server {

class OverloadWatch {
 public:
  // `hits`: how often a bound acted, over all workers. `release` asks the allocator for what
  // connections gave back.
  OverloadWatch(event::EventLoop& loop, exchange::Admission& admission,
                std::function<uint64_t(metrics::Limit)> hits, std::function<void()> release);

  void start(const Limits& limits);
  void set_limits(const Limits& limits);  // a reload
  metrics::Overload active() const noexcept { return active_; }

 private:
  void look();
  void look_at_memory();
  void look_at(bool& active, uint64_t hits, uint64_t& seen, uint64_t& last_us, const char* resource,
               const char* remedy);

  exchange::Admission& admission_;
  std::function<uint64_t(metrics::Limit)> hits_;
  std::function<void()> release_;
  event::Timer timer_;
  uint64_t high_bytes_ = 0;  // 0: no bound
  metrics::Overload active_;
  uint64_t descriptors_seen_ = 0;
  uint64_t descriptors_last_us_ = 0;
  uint64_t connections_seen_ = 0;
  uint64_t connections_last_us_ = 0;
};

// memory.max of the process's cgroup and those around it, the least; 0: none.
uint64_t cgroup_memory_bytes();

}  // namespace kg::server
