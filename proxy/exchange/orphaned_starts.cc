#include "proxy/exchange/orphaned_starts.h"

#include <utility>

#include "proxy/base/limits.h"

namespace kg::exchange {

void OrphanedStarts::keep(Quotas::Hold hold, uint64_t milliseconds) {
  if (hold.empty()) return;
  if (holds_.size() >= limits::kOrphanedStartsMax) holds_.erase(holds_.begin());
  const auto kept = holds_.emplace(loop_.now_us() + milliseconds * 1'000, std::move(hold));
  if (kept == holds_.begin()) deadline_.set_ms(milliseconds);
}

void OrphanedStarts::let_go() {
  const uint64_t now_us = loop_.now_us();
  holds_.erase(holds_.begin(), holds_.upper_bound(now_us));
  if (!holds_.empty()) deadline_.set_ms((holds_.begin()->first - now_us + 999) / 1'000);
}

}  // namespace kg::exchange
