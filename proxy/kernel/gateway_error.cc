#include "proxy/kernel/gateway_error.h"

#include <nlohmann/json.hpp>

#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"

namespace kg::kernel {
namespace {

using nlohmann::json;

// Keeps two texts of the top object and no tree: what else is there may be large.
class ErrorReader final : public nlohmann::json_sax<json> {
 public:
  const std::optional<std::string>& reason() const noexcept { return reason_; }
  const std::optional<std::string>& message() const noexcept { return message_; }
  bool whole() const noexcept { return whole_; }
  // The last text of the list `traceback`, "" without one: where the exception was raised.
  const std::string& last_frame() const noexcept { return last_frame_; }

  bool null() override { return other(); }
  bool boolean(bool /*value*/) override { return other(); }
  bool number_integer(number_integer_t /*value*/) override { return other(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return other(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return other(); }
  bool string(string_t& value) override {
    if (in_traceback_ && depth_ == 2) last_frame_ = value;
    if (place_ == nullptr) return other();
    *place_ = std::move(value);
    place_ = nullptr;
    return true;
  }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(size_t /*elements*/) override { return open(/*object=*/true); }
  bool end_object() override { return close(); }
  bool start_array(size_t /*elements*/) override { return open(/*object=*/false); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    place_ = nullptr;
    if (depth_ > 1) return true;
    in_traceback_ = name == "traceback";
    bool* seen = name == "reason" ? &reason_seen_ : name == "message" ? &message_seen_ : nullptr;
    if (seen == nullptr) {
      whole_ = false;
      return true;
    }
    place_ = seen == &reason_seen_ ? &reason_ : &message_;
    return !std::exchange(*seen, true);
  }
  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const json::exception& /*error*/) override {
    return false;
  }

 private:
  bool open(bool object) noexcept {
    if (depth_ > 0) other();
    return (depth_ > 0 || object) && ++depth_ <= limits::kKernelJsonDepthMax;
  }
  bool close() noexcept {
    --depth_;
    return true;
  }
  // A value that is not kept. False at the top, which has to be an object.
  bool other() noexcept {
    if (std::exchange(place_, nullptr) != nullptr) whole_ = false;
    return depth_ > 0;
  }

  size_t depth_ = 0;
  bool in_traceback_ = false;
  std::string last_frame_;
  bool reason_seen_ = false;
  bool message_seen_ = false;
  bool whole_ = true;
  std::optional<std::string>* place_ = nullptr;  // of the text that comes next
  std::optional<std::string> reason_;
  std::optional<std::string> message_;
};

// The beginning of a text that is UTF-8, not cut inside a character.
std::string_view shortened(std::string_view text) noexcept {
  if (text.size() <= limits::kErrorTextBytesMax) return text;
  size_t size = limits::kErrorTextBytesMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

// False for what is not one JSON object. The library takes a NUL for the end of the input.
bool read_error(std::string_view body, ErrorReader& reader) {
  return body.find('\0') == std::string_view::npos &&
         json::sax_parse(body.begin(), body.end(), &reader);
}

}  // namespace

bool says_unknown_kernel(std::string_view body) {
  ErrorReader reader;
  return read_error(body, reader) &&
         reader.last_frame().find(", in _check_kernel_id\n") != std::string::npos;
}

std::optional<ReducedError> reduce_error(std::string_view body, std::string_view phrase) {
  ErrorReader reader;
  if (!read_error(body, reader)) return std::nullopt;
  if (!reader.reason() && !reader.message()) return std::nullopt;
  const std::string_view reason = reader.reason() ? std::string_view(*reader.reason()) : phrase;
  const std::string_view message = reader.message() ? std::string_view(*reader.message()) : "";
  ReducedError reduced;
  reduced.whole = reader.whole() && shortened(reason).size() == reason.size() &&
                  shortened(message).size() == message.size();
  reduced.json = "{\"reason\":";
  ascii::json_quote(shortened(reason), reduced.json);
  reduced.json += ",\"message\":";
  ascii::json_quote(shortened(message), reduced.json);
  reduced.json += "}\n";
  return reduced;
}

}  // namespace kg::kernel
