#include "proxy/kernel/launch_body.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"
#include "proxy/kernel/spark_options.h"

namespace kg::kernel {
namespace {

using nlohmann::json;

constexpr size_t kEnvDepth = 2;  // inside `env` of the top object
constexpr size_t kUsernameBytesMax = 128;
constexpr std::string_view kSparkOptions = "KERNEL_EXTRA_SPARK_OPTS";
constexpr std::string_view kTimeout = "KERNEL_LAUNCH_TIMEOUT";
constexpr std::string_view kLettersAndDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What gateways refuse since 3.4, and older ones hand to templates and shells (J11).
bool is_env_value(std::string_view value) noexcept {
  return value.size() <= limits::kLaunchValueBytesMax &&
         std::none_of(value.begin(), value.end(), [](char c) {
           return c == '$' || c == '`' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

std::optional<double> parse_seconds(std::string_view text) noexcept {
  text = ascii::trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// A name in a message or a log line: what is no plain name is not repeated.
std::string shown(std::string_view name) {
  const bool plain = !name.empty() && name.size() <= limits::kLaunchNameBytesShown &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return c == '_' || kLettersAndDigits.find(c) != std::string_view::npos;
                     });
  return std::string(plain ? name : "(odd name)");
}

}  // namespace

// Follows the document event by event: bodies reach 1 MiB, and a tree of one takes 30.
class LaunchReader final : public nlohmann::json_sax<json> {
 public:
  LaunchReader(const LaunchRules& rules, LaunchBody& out, LaunchFault& fault)
      : rules_(rules), out_(out), fault_(fault) {}

  bool null() override { return scalar(std::nullopt); }
  bool boolean(bool /*value*/) override { return scalar(std::nullopt); }
  bool number_integer(number_integer_t value) override { return scalar(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(std::to_string(value)); }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    return scalar(text);
  }
  bool string(string_t& value) override { return scalar(std::move(value), /*text=*/true); }
  bool binary(binary_t& /*value*/) override { return malformed("is no JSON"); }
  bool start_object(size_t /*elements*/) override { return open(/*object=*/true); }
  bool end_object() override { return close(); }
  bool start_array(size_t /*elements*/) override { return open(/*object=*/false); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!names_.back().insert(name).second) return malformed("has a member twice");
    if (++members_ > limits::kLaunchMembersMax) return malformed("has too many members");
    target_ = Target::kNothing;
    if (names_.size() == 1) return top_member(name);
    if (names_.size() == kEnvDepth && in_env_) return variable(name);
    return true;
  }
  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const json::exception& /*error*/) override {
    return malformed("is no JSON");
  }

 private:
  // Where the next value goes.
  enum class Target : uint8_t { kNothing, kSpec, kEnv, kWantedId, kTopWantedId, kVariable };

  bool malformed(std::string what) {
    fault_ = {ErrorCode::kLaunchMalformed, "the body " + std::move(what)};
    return false;
  }
  bool misshapen(std::string_view name, std::string_view what) {
    fault_ = {ErrorCode::kLaunchMalformed, shown(name).append(" ").append(what)};
    return false;
  }
  bool denied(std::string what) {
    fault_ = {ErrorCode::kLaunchDenied, std::move(what)};
    return false;
  }

  bool top_member(const string_t& name) {
    in_env_ = name == "env";
    if (in_env_) target_ = Target::kEnv;
    if (name == "name") target_ = Target::kSpec;
    if (name == "kernel_id") target_ = Target::kTopWantedId;
    return true;
  }

  bool variable(string_t& name) {
    if (contains(rules_.deny, name)) return denied(shown(name) + " is not for clients to set");
    if (name == "KERNEL_USERNAME") return true;  // every client sends it; ours counts
    if (name == "KERNEL_ID") {
      target_ = Target::kWantedId;
      return true;
    }
    const bool passes =
        name == kSparkOptions ? !rules_.spark_conf.empty() : contains(rules_.pass, name);
    if (passes) {
      target_ = Target::kVariable;
      name_ = std::move(name);
      return true;
    }
    if (++out_.dropped_ > limits::kLaunchNamesLoggedMax) return true;
    if (!out_.dropped_names_.empty()) out_.dropped_names_ += ',';
    out_.dropped_names_ += shown(name);
    return true;
  }

  bool open(bool object) {
    if (names_.empty() && !object) return malformed("is no JSON object");
    if (names_.size() >= limits::kKernelJsonDepthMax)
      return malformed("nests deeper than 32 levels");
    if (target_ != Target::kNothing && !(object && target_ == Target::kEnv)) {
      return scalar(std::nullopt);
    }
    target_ = Target::kNothing;
    names_.emplace_back();
    return true;
  }
  bool close() {
    names_.pop_back();
    return true;
  }

  // A value that is no object; nullopt: neither text nor number. Also for structures where a single
  // value has to stand.
  bool scalar(std::optional<std::string> value, bool text = false) {
    if (names_.empty()) return malformed("is no JSON object");
    switch (std::exchange(target_, Target::kNothing)) {
      case Target::kNothing:
        return true;
      case Target::kEnv:
        return malformed("has an env that is no object");
      case Target::kSpec:
        if (!text || !is_spec_name(*value)) return malformed("has a name that is no kernel spec's");
        out_.spec_ = std::move(*value);
        return true;
      case Target::kWantedId:
      case Target::kTopWantedId:
        return wanted_id(value, text);
      case Target::kVariable:
        return pass(value);
    }
    return false;
  }

  bool wanted_id(const std::optional<std::string>& value, bool text) {
    if (!text || value->size() > limits::kLaunchValueBytesMax) {
      return malformed("has a kernel id that is no short text");
    }
    if (!out_.wanted_id_.empty() && out_.wanted_id_ != *value) {
      return malformed("names two kernel ids");
    }
    out_.wanted_id_ = *value;
    return true;
  }

  bool pass(std::optional<std::string>& value) {
    if (!value) return misshapen(name_, "is neither a text nor a number");
    if (!is_env_value(*value)) {
      return misshapen(name_, "has over 4096 bytes, a dollar, a backtick or a control character");
    }
    if (name_ == kSparkOptions) {
      std::string what;
      value = checked_spark_options(*value, rules_.spark_conf, what);
      if (!value) return denied(std::move(what));
    }
    out_.env_.emplace_back(std::move(name_), std::move(*value));
    return true;
  }

  const LaunchRules& rules_;
  LaunchBody& out_;
  LaunchFault& fault_;
  std::vector<std::set<std::string>> names_;  // members so far, of each open object or array
  size_t members_ = 0;
  bool in_env_ = false;
  Target target_ = Target::kNothing;
  std::string name_;  // kVariable
};

std::optional<LaunchBody> LaunchBody::read(std::string_view body, const LaunchRules& rules,
                                           LaunchFault& fault) {
  std::optional<LaunchBody> out(std::in_place);
  if (body.empty()) return out;
  LaunchReader reader(rules, *out, fault);
  // The library takes a NUL for the end of the input, where gateways read on.
  if (body.find('\0') != std::string_view::npos) {
    fault = {ErrorCode::kLaunchMalformed, "the body is no JSON"};
    return std::nullopt;
  }
  if (!json::sax_parse(body.begin(), body.end(), &reader)) return std::nullopt;
  return out;
}

uint32_t LaunchBody::launch_timeout_ms(uint32_t fallback_ms) const noexcept {
  const auto entry = std::find_if(env_.begin(), env_.end(),
                                  [](const auto& variable) { return variable.first == kTimeout; });
  if (entry == env_.end()) return fallback_ms;
  const std::optional<double> seconds = parse_seconds(entry->second);
  if (!seconds) return fallback_ms;
  return static_cast<uint32_t>(
      std::clamp<double>(*seconds * 1000.0, limits::kLaunchMsMin, limits::kLaunchMsMax));
}

std::string LaunchBody::stamped(std::string_view username, std::string_view kernel_id) const {
  std::string out = "{";
  if (!spec_.empty()) {
    out += "\"name\":";
    ascii::json_quote(spec_, out);
    out += ',';
  }
  out += "\"env\":{\"KERNEL_USERNAME\":";
  ascii::json_quote(username, out);
  if (!kernel_id.empty()) {
    out += ",\"KERNEL_ID\":";
    ascii::json_quote(kernel_id, out);
  }
  for (const auto& [name, value] : env_) {
    out += ',';
    ascii::json_quote(name, out);
    out += ':';
    ascii::json_quote(value, out);
  }
  return out += "}}";
}

bool is_kernel_username(std::string_view subject) noexcept {
  return !subject.empty() && subject.size() <= kUsernameBytesMax &&
         std::all_of(subject.begin(), subject.end(), [](char c) {
           return std::string_view("._@+-").find(c) != std::string_view::npos ||
                  kLettersAndDigits.find(c) != std::string_view::npos;
         });
}

}  // namespace kg::kernel
