#include "routing/controller/kube/object.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>

#include "routing/controller/kube/limits.h"

namespace kg::kube {
namespace {

using Json = nlohmann::json;

// By brackets outside of strings: what is no JSON may count wrongly, and is refused behind this.
bool is_deep(std::string_view text) noexcept {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

const Json* member_of(const Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto member = json.find(name);
  return member == json.end() ? nullptr : &*member;
}

std::string_view text_of_member(const Json& json, const char* name) {
  const Json* member = member_of(json, name);
  if (member == nullptr || !member->is_string()) return {};
  return member->get_ref<const std::string&>();
}

}  // namespace

std::optional<Json> parse_json(std::string_view text) {
  if (is_deep(text) || text.find('\0') != std::string_view::npos) return std::nullopt;
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

std::optional<ObjectHead> head_of(const Json& object) {
  const Json* metadata = member_of(object, "metadata");
  if (metadata == nullptr) return std::nullopt;
  const ObjectHead head{text_of_member(*metadata, "namespace"), text_of_member(*metadata, "name"),
                        text_of_member(*metadata, "uid"), version_of(object)};
  const bool is_whole = !head.name.empty() && !head.uid.empty() && !head.resource_version.empty();
  const size_t longest = std::max({head.namespace_name.size(), head.name.size(), head.uid.size()});
  if (!is_whole || longest > kNameBytesMax) return std::nullopt;
  return head;
}

std::string_view version_of(const Json& object) {
  const Json* metadata = member_of(object, "metadata");
  if (metadata == nullptr) return {};
  const std::string_view version = text_of_member(*metadata, "resourceVersion");
  return version.size() > kVersionBytesMax ? std::string_view() : version;
}

void strip(Json& object) {
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return;
  metadata->erase("managedFields");
  const auto annotations = metadata->find("annotations");
  if (annotations == metadata->end() || !annotations->is_object()) return;
  annotations->erase("kubectl.kubernetes.io/last-applied-configuration");
}

std::string micro_time(uint64_t wall_us) {
  const auto seconds = static_cast<time_t>(wall_us / 1'000'000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     wall_us % 1'000'000);
}

Failure failure_of(const Json& status) {
  Failure failure;
  if (const Json* code = member_of(status, "code"); code != nullptr && code->is_number_integer()) {
    const auto value = code->get<int64_t>();
    if (value >= 100 && value < 600) failure.code = static_cast<int>(value);
  }
  for (const char c : text_of_member(status, "message").substr(0, kMessageBytesMax)) {
    failure.message += c >= ' ' && c < 0x7f ? c : '?';
  }
  const Json* details = member_of(status, "details");
  const Json* retry = details == nullptr ? nullptr : member_of(*details, "retryAfterSeconds");
  if (retry != nullptr && retry->is_number_unsigned()) {
    const uint64_t seconds = std::min<uint64_t>(retry->get<uint64_t>(), kRetryAfterMsMax / 1'000);
    failure.retry_after_ms = static_cast<uint32_t>(seconds * 1'000);
  }
  return failure;
}

}  // namespace kg::kube
