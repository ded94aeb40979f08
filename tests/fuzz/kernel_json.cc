// The body of a kernel start, and a gateway's kernel model, against a tree of the same JSON.
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using Json = nlohmann::json;

constexpr uint32_t kFallbackMs = 123'456;

size_t depth_of(const Json& json) {
  if (!json.is_structured()) return 0;
  size_t deepest = 0;
  for (const Json& element : json) deepest = std::max(deepest, depth_of(element));
  return deepest + 1;
}

}  // namespace

void run(std::string_view input) {
  const Json json = Json::parse(input, nullptr, /*allow_exceptions=*/false);
  const bool plain = input.find('\0') == std::string_view::npos && json.is_object();
  const Result<uint32_t> timeout = kernel::launch_timeout_ms(input, kFallbackMs);
  // Members that stand twice may nest deeper than those that the tree keeps.
  if (timeout) KG_ASSERT(plain && depth_of(json) <= 32);
  if (!timeout) KG_ASSERT(timeout.error().code == ErrorCode::kBadRequest);
  if (plain &&
      std::count(input.begin(), input.end(), '{') + std::count(input.begin(), input.end(), '[') <=
          32) {
    KG_ASSERT(timeout.has_value());
  }
  if (timeout) {
    KG_ASSERT(*timeout == kFallbackMs ||
              (*timeout >= limits::kLaunchMsMin && *timeout <= limits::kLaunchMsMax));
    const auto env = json.find("env");
    const bool named =
        env != json.end() && env->is_object() && env->find("KERNEL_LAUNCH_TIMEOUT") != env->end();
    if (!named) KG_ASSERT(*timeout == kFallbackMs);
    if (named && (*env)["KERNEL_LAUNCH_TIMEOUT"].is_number()) KG_ASSERT(*timeout != kFallbackMs);
  }
  const std::string id = kernel::created_kernel_id(input);
  KG_ASSERT(id.empty() || (kernel::is_kernel_id(id) && json["id"] == id));
}

}  // namespace kg::fuzz
