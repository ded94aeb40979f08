// A gateway's error: nothing but reason and message of its top object reaches a client.
#include <nlohmann/json.hpp>
#include <optional>

#include "proxy/base/limits.h"
#include "proxy/kernel/gateway_error.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using Json = nlohmann::json;

// Of the body itself, if it is there as a text.
std::optional<std::string> said(const Json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || !member->is_string()) return std::nullopt;
  return member->get<std::string>();
}

}  // namespace

void run(std::string_view input) {
  const auto reduced = kernel::reduce_error(input, "Phrase");
  if (!reduced) return;
  const Json json = Json::parse(input, nullptr, /*allow_exceptions=*/false);
  KG_ASSERT(json.is_object());
  const auto reason = said(json, "reason");
  const auto message = said(json, "message");
  KG_ASSERT(reason.has_value() || message.has_value());
  KG_ASSERT(reduced->json.find('\n') == reduced->json.size() - 1);
  const Json out = Json::parse(reduced->json, nullptr, /*allow_exceptions=*/false);
  KG_ASSERT(out.is_object() && out.size() == 2);
  const auto shown_reason = out.at("reason").get<std::string>();
  const auto shown_message = out.at("message").get<std::string>();
  KG_ASSERT(shown_reason.size() <= limits::kErrorTextBytesMax);
  KG_ASSERT(shown_message.size() <= limits::kErrorTextBytesMax);
  KG_ASSERT(reason.value_or("Phrase").starts_with(shown_reason));
  KG_ASSERT(message.value_or("").starts_with(shown_message));
  if (reduced->whole) {
    KG_ASSERT(shown_reason == reason.value_or("Phrase") && shown_message == message.value_or(""));
    KG_ASSERT(json.size() == (reason ? 1U : 0U) + (message ? 1U : 0U));
  }
}

}  // namespace kg::fuzz
