#include "proxy/exchange/client_counts.h"

#include <algorithm>
#include <cstring>

#include "proxy/base/crypto.h"

namespace kg::exchange {
namespace {

// A slot's word: the tag above, the count below. Connections and requests stay far below 2^24.
constexpr int kCountBits = 24;
constexpr uint64_t kCountMask = (uint64_t{1} << kCountBits) - 1;

// Both halves of a 64 by 64 bit product, folded: every bit of either factor reaches every bit.
uint64_t fold(uint64_t a, uint64_t b) noexcept {
  __extension__ using Product = unsigned __int128;
  const Product product = static_cast<Product>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

ClientCounts::Hold& ClientCounts::Hold::operator=(Hold&& other) noexcept {
  if (this != &other) {
    release();
    slot_ = std::exchange(other.slot_, nullptr);
  }
  return *this;
}

void ClientCounts::Hold::release() noexcept {
  Slot* slot = std::exchange(slot_, nullptr);
  if (slot != nullptr) slot->fetch_sub(1, std::memory_order_relaxed);
}

ClientCounts::ClientCounts() : buckets_(std::make_unique<std::array<Bucket, kBuckets>>()) {
  crypto::random_bytes(key_.data(), sizeof key_);
}

uint64_t ClientCounts::hash(const AddressBytes& address) const noexcept {
  std::array<uint64_t, 2> halves{};
  std::memcpy(halves.data(), address.data(), address.size());
  return fold(fold(halves[0] ^ key_[0], halves[1] ^ key_[1]) ^ key_[0], key_[1] | 1);
}

std::optional<ClientCounts::Hold> ClientCounts::take(AddressBytes address, uint32_t most) noexcept {
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(kMapped.begin(), kMapped.end(), address.begin())) {
    std::fill(address.begin() + 8, address.end(), 0);
  }
  const uint64_t mixed = hash(address);
  const uint64_t tag = mixed & ~kCountMask;
  const std::array<size_t, 2> places{mixed % kBuckets, (mixed >> 32) % kBuckets};
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
      if ((seen & kCountMask) >= most) return std::nullopt;
      if (own->compare_exchange_strong(seen, seen + 1, std::memory_order_relaxed)) return Hold(own);
      continue;  // another worker was faster
    }
    if (free == nullptr) return Hold();
    uint64_t empty = free->load(std::memory_order_relaxed);
    if ((empty & kCountMask) != 0) continue;
    if (free->compare_exchange_strong(empty, tag | 1, std::memory_order_relaxed)) return Hold(free);
  }
}

}  // namespace kg::exchange
