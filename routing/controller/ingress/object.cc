#include "routing/controller/ingress/object.h"

#include <algorithm>
#include <array>
#include <utility>

#include "config/problems.h"
#include "config/utf8.h"
#include "routing/controller/ingress/limits.h"

namespace kg::ingress {
namespace {

constexpr std::array<std::pair<Kind, std::string_view>, 6> kKinds{{
    {Kind::kIngress, "Ingress"},
    {Kind::kIngressClass, "IngressClass"},
    {Kind::kService, "Service"},
    {Kind::kEndpointSlice, "EndpointSlice"},
    {Kind::kSecret, "Secret"},
    {Kind::kConfigMap, "ConfigMap"},
}};

const Json& nothing() noexcept {
  static const Json null;
  return null;
}

}  // namespace

std::string_view name_of(Kind kind) noexcept {
  for (const auto& [known, name] : kKinds) {
    if (known == kind) return name;
  }
  return "";
}

std::optional<Kind> kind_named(std::string_view name) noexcept {
  for (const auto& [kind, known] : kKinds) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

std::string ObjectRef::text() const { return std::string(name_of(kind)) + " " + name.text(); }

const Json& member(const Json& object, std::string_view name) noexcept {
  if (!object.is_object()) return nothing();
  const auto found = object.find(name);
  return found == object.end() ? nothing() : *found;
}

std::string_view text(const Json& value) noexcept {
  const auto* string = value.get_ptr<const Json::string_t*>();
  return string == nullptr ? std::string_view{} : std::string_view(*string);
}

std::string_view text(const Json& object, std::string_view name) noexcept {
  return text(member(object, name));
}

bool flag(const Json& object, std::string_view name, bool fallback) noexcept {
  const auto* value = member(object, name).get_ptr<const Json::boolean_t*>();
  return value == nullptr ? fallback : *value;
}

const Json& list(const Json& object, std::string_view name) noexcept {
  static const Json empty = Json::array();
  const Json& found = member(object, name);
  return found.is_array() ? found : empty;
}

std::optional<uint16_t> port(const Json& value) noexcept {
  const auto* number = value.get_ptr<const Json::number_integer_t*>();  // unsigned ones too
  if (number == nullptr || *number < 1 || *number > 65'535) return std::nullopt;
  return static_cast<uint16_t>(*number);
}

TextMap texts(const Json& object, std::string_view name) {
  TextMap out;
  const Json& found = member(object, name);
  if (!found.is_object()) return out;
  for (const auto& [key, value] : found.items()) {
    if (value.is_string()) out.emplace(key, text(value));
  }
  return out;
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kNameBytesMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

std::optional<Metadata> metadata(const Json& object) {
  const Json& meta = member(object, "metadata");
  Metadata out;
  out.name = {std::string(text(meta, "namespace")), std::string(text(meta, "name"))};
  if (!is_name(out.name.name)) return std::nullopt;
  if (!out.name.space.empty() && !is_name(out.name.space)) return std::nullopt;
  out.uid = text(meta, "uid");
  out.version = text(meta, "resourceVersion");
  out.created = text(meta, "creationTimestamp");
  return out;
}

std::string quote(std::string_view value) {
  const std::string_view shown =
      value.substr(0, kQuotedBytesMax);  // config's quote cuts it further
  if (config::is_printable_utf8(shown, config::LineBreaks::kRefuse)) return config::quote(shown);
  std::string plain(shown);
  std::ranges::replace_if(
      plain, [](char c) { return c < ' ' || c > '~'; }, '?');
  return config::quote(plain);
}

}  // namespace kg::ingress
