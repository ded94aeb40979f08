// Result<T>: a value or an Error, with the member names of std::expected (C++23).
// Expected failures travel as values; nothing on the data path throws.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "proxy/base/assert.h"
#include "proxy/base/error.h"

namespace kg {

template <class T>
class [[nodiscard]] Result {
 public:
  // Implicit, as std::expected is. NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // Implicit, as std::unexpected is. NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, error) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  T& value() & {
    KG_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    KG_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    KG_ASSERT(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const {
    KG_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  // Implicit, as above. NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : error_(error) {}

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  const Error& error() const {
    KG_ASSERT(!has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace kg
