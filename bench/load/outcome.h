// Outcome<T>: a value or a Failure that a person reads in a report.
//
// The load tools use it in place of Result<T>: their failures are counted by free kinds ("start:
// 503", "cell: timeout"), which the proxy's closed error table cannot name.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace kg::bench {

struct Failure {
  std::string kind;    // few distinct values: "timeout", "status 503"
  std::string detail;  // the one case: an address, a body's first bytes; may be empty
};

template <class T>
class [[nodiscard]] Outcome {
 public:
  // Implicit, as Result is. NOLINTNEXTLINE(google-explicit-constructor)
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Outcome(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  explicit operator bool() const noexcept { return state_.index() == 0; }
  // Valid only on success, failure() only otherwise.
  T& operator*() { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  Failure& failure() { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

template <>
class [[nodiscard]] Outcome<void> {
 public:
  Outcome() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Outcome(Failure failure) : failure_(std::move(failure)) {}

  explicit operator bool() const noexcept { return !failure_.has_value(); }
  Failure& failure() { return *failure_; }

 private:
  std::optional<Failure> failure_;
};

}  // namespace kg::bench
