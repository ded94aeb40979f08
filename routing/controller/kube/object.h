// Objects of the API as JSON: parsed within bounds, and the few fields that the client itself
// reads.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace kg::kube {

// nullopt: no JSON, nested deeper than kDepthMax, or with a NUL byte, which the parser would take
// for the end.
std::optional<nlohmann::json> parse_json(std::string_view text);

// Views into the object.
struct ObjectHead {
  std::string_view namespace_name;  // "" for a resource without
  std::string_view name;
  std::string_view uid;
  std::string_view resource_version;
};
// nullopt if it is none that could be kept: no name, uid or resourceVersion, or one too long.
std::optional<ObjectHead> head_of(const nlohmann::json& object);

// metadata.resourceVersion of an object or a list, "" if there is none that can be used.
std::string_view version_of(const nlohmann::json& object);

// Takes away what nobody here reads and is often most of an object: who manages which field, and
// kubectl's copy of what was applied, which for a Secret is the secret once more.
void strip(nlohmann::json& object);

// MicroTime as the API server takes it: "2026-01-02T03:04:05.000006Z".
std::string micro_time(uint64_t wall_us);

// What a Status object (meta/v1) says.
struct Failure {
  int code = 0;
  std::string message;          // printable, at most kMessageBytesMax
  uint32_t retry_after_ms = 0;  // details.retryAfterSeconds, bounded
};
Failure failure_of(const nlohmann::json& status);

}  // namespace kg::kube
