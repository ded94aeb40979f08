// RateGate: how often each of many keys may come, over all workers: the generic cell rate algorithm
// (ITU-T I.371), one atomic word per key.
//
// The word is the moment until which the key has used up its rate. Once that moment is past the
// word says nothing any more and its slot is free: nothing has to be tidied up.
// A table of fixed size as in HeldCounts; a key has one bucket, one cache line of 8 slots, in which
// 16 further bits of it tell it from others.
// Owner:  Quotas. Thread: any; no lock.
// Limits: kSlots keys at a time. A newcomer whose 8 slots are all in use passes uncounted. Two keys
//         with equal 29 bits share one rate, by chance and not by choice: keys are SecretMix's.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace kg::exchange {

class RateGate {
 public:
  static constexpr size_t kSlots = size_t{1} << 16;

  RateGate();
  // 0 when the key may come now, which is then counted; else microseconds until it may.
  // `burst`: so many at once after a pause; at least 1. `now_us`: monotonic, of one clock.
  uint64_t pass(uint64_t key, uint32_t per_second, uint32_t burst, uint64_t now_us) noexcept;

 private:
  using Slot = std::atomic<uint64_t>;
  struct alignas(64) Bucket {
    std::array<Slot, 8> slots{};
  };
  static constexpr size_t kBuckets = kSlots / 8;

  std::unique_ptr<std::array<Bucket, kBuckets>> buckets_;
};

}  // namespace kg::exchange
