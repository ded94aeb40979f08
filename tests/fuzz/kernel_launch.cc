// The body of a kernel start: whatever comes, what goes up is a body of ours with nothing in its
// env but what the rules pass.
#include <nlohmann/json.hpp>
#include <optional>

#include "proxy/base/limits.h"
#include "proxy/kernel/launch_body.h"
#include "proxy/kernel/operation.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using Json = nlohmann::json;

constexpr uint32_t kFallbackMs = 123'456;
constexpr std::string_view kId = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
const kernel::LaunchRules kRules{
    {"KERNEL_LAUNCH_TIMEOUT", "KERNEL_WORKING_DIR"}, {"KERNEL_IMAGE"}, {"spark.x"}};

bool is_shell_safe(const std::string& text) {
  return text.find_first_of("$`\n\r") == std::string::npos && text.find('\0') == std::string::npos;
}

void check_stamped(const Json& asked, const std::string& text) {
  const Json sent = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  KG_ASSERT(sent.is_object() && sent["env"].is_object());
  for (const auto& [name, value] : sent.items()) KG_ASSERT(name == "name" || name == "env");
  if (sent.contains("name")) {
    KG_ASSERT(sent["name"] == asked["name"] &&
              kernel::is_spec_name(sent["name"].get<std::string>()));
  }
  KG_ASSERT(sent["env"]["KERNEL_USERNAME"] == "alice" && sent["env"]["KERNEL_ID"] == kId);
  for (const auto& [name, value] : sent["env"].items()) {
    KG_ASSERT(value.is_string() && is_shell_safe(value.get<std::string>()));
    KG_ASSERT(name == "KERNEL_USERNAME" || name == "KERNEL_ID" || name == "KERNEL_LAUNCH_TIMEOUT" ||
              name == "KERNEL_WORKING_DIR" || name == "KERNEL_EXTRA_SPARK_OPTS");
    if (name == "KERNEL_WORKING_DIR" && asked["env"][name].is_string()) {
      KG_ASSERT(value == asked["env"][name]);
    }
  }
}

}  // namespace

void run(std::string_view input) {
  kernel::LaunchFault fault;
  const auto body = kernel::LaunchBody::read(input, kRules, fault);
  const Json asked = Json::parse(input, nullptr, /*allow_exceptions=*/false);
  if (!body) {
    KG_ASSERT(fault.code == ErrorCode::kLaunchMalformed || fault.code == ErrorCode::kLaunchDenied);
    KG_ASSERT(!fault.what.empty() && fault.what.size() < 200 && is_shell_safe(fault.what));
    return;
  }
  if (input.empty()) return;
  KG_ASSERT(asked.is_object());
  if (asked.contains("env")) KG_ASSERT(!asked["env"].contains("KERNEL_IMAGE"));
  const uint32_t timeout = body->launch_timeout_ms(kFallbackMs);
  KG_ASSERT(timeout == kFallbackMs ||
            (timeout >= limits::kLaunchMsMin && timeout <= limits::kLaunchMsMax));
  check_stamped(asked, body->stamped("alice", kId));
}

}  // namespace kg::fuzz
