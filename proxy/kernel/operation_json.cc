// The little JSON that kernel starts need, read without building a tree: bodies reach 1 MiB.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"

namespace kg::kernel {
namespace {

using nlohmann::json;

constexpr size_t kDepthMax = 32;

// Follows a document event by event and keeps the one scalar at `parent`.`name` of the top object,
// or at `name` if `parent` is empty. Of repeated keys the last counts, as for gateways (Python).
// In this mode the library reports errors by parse_error() and throws nothing of its own.
class ScalarFinder : public nlohmann::json_sax<json> {
 public:
  ScalarFinder(std::string_view parent, std::string_view name) : parent_(parent), name_(name) {}

  bool top_is_object() const noexcept { return top_is_object_; }
  const std::optional<std::string>& text() const noexcept { return text_; }
  std::optional<double> number() const noexcept { return number_; }

  bool null() override { return scalar(); }
  bool boolean(bool /*value*/) override { return scalar(); }
  bool number_integer(number_integer_t value) override {
    return scalar_number(static_cast<double>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return scalar_number(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return scalar_number(value);
  }
  bool string(string_t& value) override {
    if (here_) text_ = std::move(value);
    return scalar();
  }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(size_t /*elements*/) override {
    if (depth_ == 0) top_is_object_ = true;
    return open();
  }
  bool end_object() override { return close(); }
  bool start_array(size_t /*elements*/) override { return open(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    here_ = false;
    if (depth_ == 1 && !parent_.empty()) {
      in_parent_ = value == parent_;
      if (in_parent_) forget();
    } else if (value == name_) {
      here_ = parent_.empty() ? depth_ == 1 : depth_ == 2 && in_parent_;
      if (here_) forget();
    }
    return true;
  }
  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const json::exception& /*error*/) override {
    return false;
  }

 private:
  bool open() noexcept {
    here_ = false;
    return ++depth_ <= kDepthMax;
  }
  bool close() noexcept {
    --depth_;
    return true;
  }
  bool scalar() noexcept {
    here_ = false;
    return depth_ > 0;
  }
  bool scalar_number(double value) noexcept {
    if (here_) number_ = value;
    return scalar();
  }
  void forget() noexcept {
    text_.reset();
    number_.reset();
  }

  std::string_view parent_;
  std::string_view name_;
  size_t depth_ = 0;
  bool top_is_object_ = false;
  bool in_parent_ = false;
  bool here_ = false;  // the next value is the one
  std::optional<std::string> text_;
  std::optional<double> number_;
};

// False if the body is no JSON object within the depth. The library takes a NUL for the end of the
// input, where gateways read on.
bool follow(std::string_view body, ScalarFinder& finder) {
  if (body.find('\0') != std::string_view::npos) return false;
  return json::sax_parse(body.begin(), body.end(), &finder) && finder.top_is_object();
}

std::optional<double> parse_seconds(std::string_view text) noexcept {
  text = ascii::trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<uint32_t> launch_timeout_ms(std::string_view body, uint32_t fallback_ms) {
  ScalarFinder finder("env", "KERNEL_LAUNCH_TIMEOUT");
  if (!follow(body, finder)) {
    return Error{ErrorCode::kBadRequest, "body is not a JSON object of at most 32 levels"};
  }
  const std::optional<double> seconds =
      finder.text() ? parse_seconds(*finder.text()) : finder.number();
  if (!seconds || !std::isfinite(*seconds)) return fallback_ms;
  return static_cast<uint32_t>(
      std::clamp<double>(*seconds * 1000.0, limits::kLaunchMsMin, limits::kLaunchMsMax));
}

std::string created_kernel_id(std::string_view body) {
  ScalarFinder finder("", "id");
  if (!follow(body, finder) || !finder.text() || !is_kernel_id(*finder.text())) return {};
  return *finder.text();
}

}  // namespace kg::kernel
