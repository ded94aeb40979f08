// HeldCounts: how much each of many keys holds at this moment, over all workers.
//
// A table of fixed size. A key's place is a slot of one of two buckets, each of them one cache line
// of 8 slots; a slot is one atomic word of a tag and a count, free when the count is 0.
// Keys are 64-bit mixes of a SecretMix: nobody aims them at one bucket.
// Owner:  who counts. Thread: any; no lock, one read-modify-write when something begins and one
//         when it ends.
// Limits: kSlots keys at a time. A newcomer whose 16 slots are all taken passes uncounted: so many
//         others are at work that none of them is the problem. Two workers that meet a new key at
//         one instant may give it two slots for as long as both are held, and twice its bound.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace kg::exchange {

// A random key of its own, and hashes under it. Good for places in a table; no MAC.
class SecretMix {
 public:
  SecretMix();
  uint64_t of(uint64_t a, uint64_t b) const noexcept;
  // Of texts one after the other, each with its length.
  uint64_t of(std::initializer_list<std::string_view> texts) const noexcept;

 private:
  std::array<uint64_t, 2> key_{};
};

class HeldCounts {
  using Slot = std::atomic<uint64_t>;

 public:
  static constexpr size_t kSlots = size_t{1} << 16;

  // One counted thing; gives its place back when it is destroyed. Empty: nothing was counted.
  class Hold {
   public:
    Hold() = default;
    Hold(Slot* slot, uint32_t place) noexcept : slot_(slot), place_(place) {}
    Hold(Hold&& other) noexcept
        : slot_(std::exchange(other.slot_, nullptr)), place_(other.place_) {}
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { release(); }

    bool empty() const noexcept { return slot_ == nullptr; }
    // How many others of its key hold and came before it: of two that came at one instant one has
    // fewer than the other.
    uint32_t ahead() const noexcept;

   private:
    void release() noexcept;
    Slot* slot_ = nullptr;
    uint32_t place_ = 0;  // its key's count when it came, with it
  };

  HeldCounts();
  // Nothing when the key holds `most` already.
  std::optional<Hold> take(uint64_t key, uint32_t most) noexcept;

 private:
  struct alignas(64) Bucket {
    std::array<Slot, 8> slots{};
  };
  static constexpr size_t kBuckets = kSlots / 8;

  std::unique_ptr<std::array<Bucket, kBuckets>> buckets_;
};

}  // namespace kg::exchange
