// Secret: a string that does not format, does not compare by accident, and is wiped when it dies.
// Tokens and keys are held in it from where they are read to where they are used.
#pragma once

#include <optional>
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
      forget();
      value_ = other.value_;
    }
    return *this;
  }
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) {
    if (!value_.empty()) other.wipe();
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      forget();
      value_ = std::move(other.value_);
      if (!value_.empty()) other.wipe();
    }
    return *this;
  }
  ~Secret() { forget(); }

  // Of base64 (RFC 4648 section 4), with or without padding; leaves no copy behind.
  static std::optional<Secret> from_base64(std::string_view text);

  bool empty() const noexcept { return value_.empty(); }
  // The one way to the bytes: named so that a reviewer sees every use.
  std::string_view reveal() const noexcept { return value_; }

 private:
  // An empty one holds nothing, in its capacity neither: whatever emptied it wiped it.
  void forget() noexcept {
    if (!value_.empty()) wipe();
  }
  // The whole capacity, so that a moved-from small string leaves nothing behind.
  void wipe() noexcept;
  std::string value_;
};

}  // namespace kg
