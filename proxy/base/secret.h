// Secret: a string that does not format, does not compare by accident, and is wiped when it dies.
// Tokens and keys are held in it from where they are read to where they are used.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace kg {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe();
      value_ = other.value_;
    }
    return *this;
  }
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      value_ = std::move(other.value_);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  bool empty() const noexcept { return value_.empty(); }
  // The one way to the bytes: named so that a reviewer sees every use.
  std::string_view reveal() const noexcept { return value_; }

 private:
  // The whole capacity, so that a moved-from small string leaves nothing behind.
  void wipe() noexcept;
  std::string value_;
};

}  // namespace kg
