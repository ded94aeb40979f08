#include "proxy/exchange/rate_gate.h"

#include <algorithm>

#include "proxy/base/assert.h"

namespace kg::exchange {
namespace {

// A slot's word: 16 bits of the key above, the moment below (microseconds: 8.9 years of uptime).
constexpr int kMomentBits = 48;
constexpr uint64_t kMomentMask = (uint64_t{1} << kMomentBits) - 1;

}  // namespace

RateGate::RateGate() : buckets_(std::make_unique<std::array<Bucket, kBuckets>>()) {}

uint64_t RateGate::pass(uint64_t key, uint32_t per_second, uint32_t burst,
                        uint64_t now_us) noexcept {
  KG_ASSERT(per_second > 0 && burst > 0);
  const uint64_t interval_us = std::max<uint64_t>(1'000'000 / per_second, 1);
  const uint64_t most_us = interval_us * burst;
  const uint64_t tag = key & ~kMomentMask;
  Bucket& bucket = (*buckets_)[key % kBuckets];
  for (;;) {
    Slot* slot = nullptr;
    uint64_t seen = 0;
    uint64_t used_until_us = now_us;
    for (Slot& candidate : bucket.slots) {
      const uint64_t word = candidate.load(std::memory_order_relaxed);
      const bool in_use = (word & kMomentMask) > now_us;
      if (in_use && (word & ~kMomentMask) != tag) continue;
      if (!in_use && slot != nullptr) continue;
      slot = &candidate;
      seen = word;
      if (!in_use) continue;
      used_until_us = word & kMomentMask;
      break;
    }
    if (slot == nullptr) return 0;
    const uint64_t next_us = used_until_us + interval_us;
    if (next_us - now_us > most_us) return next_us - now_us - most_us;
    const uint64_t word = tag | (next_us & kMomentMask);
    if (slot->compare_exchange_strong(seen, word, std::memory_order_relaxed)) return 0;
  }
}

}  // namespace kg::exchange
