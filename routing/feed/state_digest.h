// StateDigest: one value for a whole set of items, kept up to date change by change.
//
// LtHash16 (Bellare and Micciancio 1997; Lewi et al. 2019): each item becomes 1,024 numbers of 16
// bits (little-endian) by SHAKE256 of its three names and the SHA-256 of its payload, each behind
// its length in eight bytes (little-endian), and the set is their sum. So an edit costs one item
// however many there are, the order does not count, and nobody who may write some items can find
// another set with the same digest, which with a plain sum of hashes he could. It proves equality
// to an honest other side; that the other side is honest is the affair of CURVE. Values; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "routing/feed/item.h"

namespace kg::feed {

using Digest = std::array<unsigned char, 32>;
std::string text_of(const Digest& digest);  // hexadecimal

// What one item adds to a state.
class ItemMark {
 public:
  explicit ItemMark(const Item& item) noexcept;

 private:
  friend class StateDigest;
  static constexpr size_t kLanes = 1'024;
  std::array<uint16_t, kLanes> lanes_;
};

class StateDigest {
 public:
  void add(const ItemMark& mark) noexcept;
  void remove(const ItemMark& mark) noexcept;
  Digest value() const noexcept;  // SHA-256 of the sum

 private:
  std::array<uint16_t, ItemMark::kLanes> sum_{};
};

}  // namespace kg::feed
