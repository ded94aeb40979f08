#include "proxy/kernel/kernel_census.h"

#include <nlohmann/json.hpp>
#include <string>

#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"

namespace kg::kernel {
namespace {

using Json = nlohmann::json;

constexpr size_t kEntryDepth = 2;  // an object in the array

// One pass, holding one entry. Returning false ends it: the list is refused.
class Counter final : public nlohmann::json_sax<Json> {
 public:
  explicit Counter(const std::function<bool(std::string_view)>& is_held) : is_held_(is_held) {}
  const KernelCensus& census() const noexcept { return census_; }

  bool null() override { return is_plain_value(); }
  bool boolean(bool /*value*/) override { return is_plain_value(); }
  bool number_integer(number_integer_t /*value*/) override { return is_plain_value(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return is_plain_value(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
    return is_plain_value();
  }
  bool binary(binary_t& /*value*/) override { return false; }
  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    return false;
  }
  bool string(string_t& value) override {
    if (depth_ < kEntryDepth) return false;
    if (depth_ > kEntryDepth) return true;
    if (member_ == Member::kId) {
      if (!id_.empty() || !is_kernel_id(value)) return false;
      id_ = value;
    } else if (member_ == Member::kState) {
      state_ = value;
    }
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ != kEntryDepth) return true;
    member_ = Member::kOther;
    if (name == "id") member_ = Member::kId;
    if (name == "execution_state") member_ = Member::kState;
    return true;
  }
  bool start_object(size_t /*elements*/) override {
    if (!is_plain_value(kEntryDepth - 1) || ++depth_ > limits::kKernelJsonDepthMax) return false;
    if (depth_ != kEntryDepth) return true;
    id_.clear();
    state_.clear();
    return ++entries_ <= limits::kListEntriesMax;
  }
  bool end_object() override {
    if (depth_-- != kEntryDepth) return true;
    if (id_.empty()) return false;
    count_entry();
    return true;
  }
  bool start_array(size_t /*elements*/) override {
    return (depth_ == 0 || is_plain_value()) && ++depth_ <= limits::kKernelJsonDepthMax;
  }
  bool end_array() override { return --depth_, true; }

 private:
  enum class Member : uint8_t { kOther, kId, kState };

  // Not in the place of the list, of an entry or of an id.
  bool is_plain_value(size_t depth_min = kEntryDepth) const noexcept {
    return depth_ >= depth_min && (depth_ != kEntryDepth || member_ != Member::kId);
  }
  void count_entry() {
    if (!is_held_(id_)) {
      ++census_.copies;
    } else if (state_ == "busy") {
      ++census_.busy;
    } else if (state_ == "idle") {
      ++census_.idle;
    } else {
      ++census_.other;
    }
  }

  const std::function<bool(std::string_view)>& is_held_;
  KernelCensus census_;
  size_t depth_ = 0;
  size_t entries_ = 0;
  Member member_ = Member::kOther;
  std::string id_;
  std::string state_;
};

}  // namespace

std::optional<KernelCensus> take_census(std::string_view list,
                                        const std::function<bool(std::string_view)>& is_held) {
  Counter counter(is_held);
  if (list.find('\0') != std::string_view::npos) return std::nullopt;
  if (!Json::sax_parse(list.begin(), list.end(), &counter)) return std::nullopt;
  return counter.census();
}

}  // namespace kg::kernel
