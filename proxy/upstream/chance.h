// Chance: moments by chance, so that what is done at intervals does not beat together, over pods
// and over proxies.
#pragma once

#include <cstdint>
#include <random>

#include "proxy/base/crypto.h"

namespace kg::upstream {

class Chance {
 public:
  Chance() : numbers_(seed()) {}
  uint64_t part_of(uint64_t milliseconds) noexcept {
    return milliseconds == 0 ? 0 : numbers_() % milliseconds;
  }
  // Give or take a twentieth.
  uint64_t about(uint64_t milliseconds) noexcept {
    return milliseconds - milliseconds / 20 + part_of(milliseconds / 10 + 1);
  }

 private:
  static unsigned seed() {
    unsigned value = 0;
    crypto::random_bytes(&value, sizeof value);
    return value;
  }
  std::minstd_rand numbers_;
};

}  // namespace kg::upstream
