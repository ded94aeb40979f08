// KG_ASSERT: a broken invariant of our own ends the process, in every build. Never for input.
#pragma once

namespace kg {
// Writes expression and place to stderr and aborts.
[[noreturn]] void assert_failed(const char* expression, const char* file, int line) noexcept;
}  // namespace kg

#define KG_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::kg::assert_failed(#condition, __FILE__, __LINE__))
