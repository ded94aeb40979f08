#include "proxy/exchange/held_counts.h"

#include <algorithm>
#include <cstring>

#include "proxy/base/crypto.h"

namespace kg::exchange {
namespace {

// A slot's word: the tag above, the count below. What is counted stays far below 2^24.
constexpr int kCountBits = 24;
constexpr uint64_t kCountMask = (uint64_t{1} << kCountBits) - 1;

// Both halves of a 64 by 64 bit product, folded: every bit of either factor reaches every bit.
uint64_t fold(uint64_t a, uint64_t b) noexcept {
  __extension__ using Product = unsigned __int128;
  const Product product = static_cast<Product>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

SecretMix::SecretMix() { crypto::random_bytes(key_.data(), sizeof key_); }

uint64_t SecretMix::of(uint64_t a, uint64_t b) const noexcept {
  return fold(fold(a ^ key_[0], b ^ key_[1]) ^ key_[0], key_[1] | 1);
}

uint64_t SecretMix::of(std::initializer_list<std::string_view> texts) const noexcept {
  uint64_t state = 0;
  for (std::string_view text : texts) {
    state = of(state, text.size());
    while (!text.empty()) {
      uint64_t word = 0;
      const size_t taken = std::min(sizeof word, text.size());
      std::memcpy(&word, text.data(), taken);
      state = of(state, word);
      text.remove_prefix(taken);
    }
  }
  return state;
}

HeldCounts::Hold& HeldCounts::Hold::operator=(Hold&& other) noexcept {
  if (this != &other) {
    release();
    slot_ = std::exchange(other.slot_, nullptr);
    place_ = other.place_;
  }
  return *this;
}

void HeldCounts::Hold::release() noexcept {
  Slot* slot = std::exchange(slot_, nullptr);
  if (slot != nullptr) slot->fetch_sub(1, std::memory_order_relaxed);
}

uint32_t HeldCounts::Hold::ahead() const noexcept {
  if (slot_ == nullptr) return 0;
  // Those that came before may have ended, and others come since.
  const auto now = static_cast<uint32_t>(slot_->load(std::memory_order_relaxed) & kCountMask);
  return std::min(place_, now) - 1;
}

HeldCounts::HeldCounts() : buckets_(std::make_unique<std::array<Bucket, kBuckets>>()) {}

std::optional<HeldCounts::Hold> HeldCounts::take(uint64_t key, uint32_t most) noexcept {
  const uint64_t tag = key & ~kCountMask;
  const std::array<size_t, 2> places{key % kBuckets, (key >> 32) % kBuckets};
  for (;;) {
    Slot* free = nullptr;
    Slot* own = nullptr;
    uint64_t seen = 0;
    for (const size_t place : places) {
      for (Slot& slot : (*buckets_)[place].slots) {
        const uint64_t word = slot.load(std::memory_order_relaxed);
        if ((word & kCountMask) == 0) {
          if (free == nullptr) free = &slot;
        } else if ((word & ~kCountMask) == tag) {
          own = &slot;
          seen = word;
        }
      }
    }
    if (own != nullptr) {
      const auto held = static_cast<uint32_t>(seen & kCountMask);
      if (held >= most) return std::nullopt;
      if (own->compare_exchange_strong(seen, seen + 1, std::memory_order_relaxed)) {
        return Hold(own, held + 1);
      }
      continue;  // another worker was faster
    }
    if (most == 0) return std::nullopt;
    if (free == nullptr) return Hold();
    uint64_t empty = free->load(std::memory_order_relaxed);
    if ((empty & kCountMask) != 0) continue;
    if (free->compare_exchange_strong(empty, tag | 1, std::memory_order_relaxed)) {
      return Hold(free, 1);
    }
  }
}

}  // namespace kg::exchange
