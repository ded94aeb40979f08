#include "routing/controller/ingress/values.h"

#include <algorithm>
#include <array>

#include "proxy/base/ascii.h"
#include "routing/controller/ingress/annotations.h"

namespace kg::ingress {
namespace {

struct Twin {
  std::string_view ours;
  std::string_view theirs;
};
constexpr std::array<Twin, 6> kTwins{{{"launch-timeout", "proxy-read-timeout"},
                                      {"gateway-scheme", "backend-protocol"},
                                      {"quota-websockets", "limit-connections"},
                                      {"allow-sources", "allowlist-source-range"},
                                      {"allow-sources", "whitelist-source-range"},
                                      {"gateway-client-secret", "proxy-ssl-secret"}}};

constexpr uint64_t kLaunchSecondsMax = 400;  // domain E13: kernels start within that or not at all

// Their writing as ours. What has none stays, and is refused as ours would be.
std::string translated(std::string_view theirs, const std::string& value,
                       const std::string& space) {
  if (theirs == "proxy-read-timeout") {
    const auto seconds = ascii::parse_decimal(value);
    return seconds ? std::to_string(std::min(*seconds, kLaunchSecondsMax)) + "s" : value;
  }
  if (theirs == "backend-protocol") return ascii::lower(value);
  if (theirs == "proxy-ssl-secret" && value.starts_with(space + "/"))
    return value.substr(space.size() + 1);
  return value;
}

}  // namespace

std::optional<Value> Values::own(std::string_view name) const {
  const std::string full = std::string(kOwnPrefix) + std::string(name);
  if (const auto found = ingress_.annotations.find(full); found != ingress_.annotations.end())
    return Value{found->second, "annotation " + full, true};
  for (const Twin& twin : kTwins) {
    if (twin.ours != name) continue;
    const std::string other = std::string(kNginxPrefix) + std::string(twin.theirs);
    const auto found = ingress_.annotations.find(other);
    if (found == ingress_.annotations.end()) continue;
    return Value{translated(twin.theirs, found->second, ingress_.name.space), "annotation " + other,
                 true};
  }
  return std::nullopt;
}

bool Values::has_own_issuer() const {
  const auto issuer = own("issuer");
  const auto usual = parameters_.defaults.find("issuer");
  const bool is_other =
      issuer && (usual == parameters_.defaults.end() || usual->second != issuer->text);
  return is_other || has_own("jwks-url") || has_own("session-keys-secret");
}

// Ways in do not mix: an issuer and its keys belong together, and who names another way gets none
// of the class's beside it.
bool Values::is_replaced(std::string_view name) const {
  const AnnotationInfo* info = find_annotation(name);
  if (info == nullptr) return false;
  const bool is_gateway = name == "sessions-by-gateway";
  if (!is_gateway && !info->path.starts_with("sessions.jwt.")) return false;
  const bool has_own = has_own_issuer();
  if (is_gateway) return has_own;
  const bool is_issuers =
      name.starts_with("jwks-") || name == "session-keys-secret" || name == "realm";
  return has_own ? is_issuers : Values::has_own("sessions-by-gateway");
}

std::optional<Value> Values::find(std::string_view name) const {
  if (auto value = own(name)) return value;
  const auto found = parameters_.defaults.find(name);
  if (found == parameters_.defaults.end() || is_replaced(name)) return std::nullopt;
  return Value{found->second, "class parameter " + std::string(name), false};
}

std::optional<std::string> Values::inline_text(std::string_view name) const {
  const auto found = parameters_.inline_text.find(name);
  if (found == parameters_.inline_text.end() || is_replaced(name)) return std::nullopt;
  return found->second;
}

std::string Values::subject(std::string_view name) const {
  const auto value = find(name);
  return value ? value->subject : "annotation " + std::string(kOwnPrefix) + std::string(name);
}

SecretName split_secret(std::string_view value, std::string_view default_key) {
  const size_t slash = value.find('/');
  if (slash == std::string_view::npos) return {std::string(value), std::string(default_key)};
  return {std::string(value.substr(0, slash)), std::string(value.substr(slash + 1))};
}

}  // namespace kg::ingress
