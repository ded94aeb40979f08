// Strict JSON: a subset of JSON, each member once, within its depth.
#include <nlohmann/json.hpp>

#include "auth/strict_json.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using Json = nlohmann::json;

int depth_of(const Json& json) {
  if (!json.is_structured()) return 0;
  int deepest = 0;
  for (const Json& element : json) deepest = std::max(deepest, depth_of(element));
  return deepest + 1;
}

// Spaces between tokens aside, as long as the text itself: no member was dropped on the way.
size_t members_in(const Json& json) {
  size_t members = json.is_object() ? json.size() : 0;
  if (json.is_structured()) {
    for (const Json& element : json) members += members_in(element);
  }
  return members;
}

size_t colons_outside_strings(std::string_view text) {
  size_t colons = 0;
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (inside && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      inside = !inside;
    } else if (text[i] == ':' && !inside) {
      ++colons;
    }
  }
  return colons;
}

}  // namespace

void run(std::string_view input) {
  const auth::JsonObject::Parsed parsed = auth::JsonObject::parse(input);
  KG_ASSERT(parsed.object.has_value() == (*parsed.fault == '\0'));
  if (!parsed.object) return;
  const Json json = Json::parse(input, nullptr, /*allow_exceptions=*/false);
  KG_ASSERT(json.is_object() && depth_of(json) <= auth::kJsonDepthMax);
  KG_ASSERT(members_in(json) == colons_outside_strings(input));
  for (const char* name : {"exp", "sub", "aud", "keys"}) {
    const auto member = json.find(name);
    KG_ASSERT(parsed.object->has(name) == (member != json.end()));
    const auto text = parsed.object->text(name);
    if (text) KG_ASSERT(member->is_string() && *text == member->get_ref<const std::string&>());
    const auto texts = parsed.object->texts(name);
    if (texts) KG_ASSERT(member->is_array() && texts->size() == member->size());
    const auto seconds = parsed.object->seconds(name);
    if (seconds) KG_ASSERT(member->is_number() && *seconds >= 0 && *seconds < 253'402'300'800);
    const auto objects = parsed.object->objects(name);
    if (objects) KG_ASSERT(member->is_array() && objects->size() == member->size());
  }
}

}  // namespace kg::fuzz
