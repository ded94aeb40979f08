// What annotations may say beside what their class says, and how much of what all proxies' tenants
// share they may take (domain A29). What only their own endpoint feels is theirs to decide, unless
// the class gave it a value: then they may narrow that and never widen it.
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "routing/controller/ingress/findings.h"
#include "routing/controller/ingress/parameters.h"
#include "routing/controller/ingress/values.h"

namespace kg::ingress {

enum class Narrower : uint8_t {
  kAtMost,   // than the class's: a number or a duration, `none` being the most
  kPart,     // some entries of the class's list
  kWhole,    // at least all entries of the class's list
  kEarlier,  // the same word, or one before it in `words`
  kEqual,    // as the class has it, as long as the issuer is the class's
};
struct NarrowingInfo {
  std::string_view annotation;
  Narrower narrower;
  std::string_view words = {};  // kEarlier: from the narrowest on, with spaces between
};
std::span<const NarrowingInfo> narrowings() noexcept;

// What is taken from others by a large value, or by a small one: bounds that hold without any
// class. A value of the class may go beyond, and then bounds as far.
struct ReachInfo {
  std::string_view annotation;
  bool is_most;  // else the least
  std::string_view bound;
};
std::span<const ReachInfo> reaches() noexcept;

void check_narrowing(const Values& values, const Parameters& parameters, Findings& findings);

}  // namespace kg::ingress
