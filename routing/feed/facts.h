// What keeps facts few: SeenFacts drops what came before, RateGate holds a sender to a rate.
//
// Owner: the publisher and the subscriber. Thread: one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_set>

#include "routing/feed/message.h"

namespace kg::feed {

// The last kFactsRemembered facts, each whole: whoever hears a fact by one controller could say
// something else under its id to another, before the fact comes there.
class SeenFacts {
 public:
  // False: it came before.
  bool first_time(const Fact& fact);

 private:
  std::unordered_set<std::string> marks_;
  std::deque<std::string> order_;
};

// `per_second`, and up to `at_once` after a pause.
class RateGate {
 public:
  RateGate(uint32_t per_second, uint32_t at_once) noexcept
      : each_us_(1'000'000 / per_second), most_us_(each_us_ * at_once) {}
  bool pass(uint64_t now_us) noexcept {
    const uint64_t until_us = std::max(until_us_, now_us) + each_us_;
    if (until_us > now_us + most_us_) return false;
    until_us_ = until_us;
    return true;
  }

 private:
  uint64_t each_us_;
  uint64_t most_us_;
  uint64_t until_us_ = 0;  // what was let through would take so long at the rate
};

}  // namespace kg::feed
