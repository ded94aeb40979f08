#include "routing/controller/kube/backoff.h"

#include <algorithm>

#include "proxy/base/crypto.h"

namespace kg::kube {
namespace {

uint32_t share_of(uint32_t whole, uint32_t random) noexcept {
  return static_cast<uint32_t>((uint64_t{whole} * random) >> 32);
}

}  // namespace

uint32_t random_word() noexcept {
  uint32_t word = 0;
  crypto::random_bytes(&word, sizeof word);
  return word;
}

uint32_t Backoff::next_ms(uint32_t random, uint32_t asked_ms) noexcept {
  const uint32_t half = step_ms_ / 2;
  const uint32_t own = half + share_of(step_ms_ - half, random);
  step_ms_ = step_ms_ > most_ms_ / 2 ? most_ms_ : step_ms_ * 2;
  return std::max(own, asked_ms + share_of(asked_ms / 4, random));
}

}  // namespace kg::kube
