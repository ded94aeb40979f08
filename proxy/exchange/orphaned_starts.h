// OrphanedStarts: kernel starts whose client left before the answer. A gateway goes on with them
// (domain J15), so they count in their principal's quotas until it must have ended.
//
// Owner:  the worker's context. Thread: the worker's.
// Limits: kOrphanedStartsMax; above it the one that ends first counts no longer.
#pragma once

#include <cstdint>
#include <map>

#include "proxy/event/watcher.h"
#include "proxy/exchange/quotas.h"

namespace kg::exchange {

class OrphanedStarts {
 public:
  explicit OrphanedStarts(event::EventLoop& loop)
      : loop_(loop), deadline_(loop, [this] { let_go(); }) {}

  void keep(Quotas::Hold hold, uint64_t milliseconds);
  size_t size() const noexcept { return holds_.size(); }

 private:
  void let_go();

  event::EventLoop& loop_;
  event::Deadline deadline_;
  std::multimap<uint64_t, Quotas::Hold> holds_;  // by the moment of their end
};

}  // namespace kg::exchange
