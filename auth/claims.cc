#include "auth/claims.h"

#include <optional>
#include <string_view>
#include <utility>

#include "auth/refusal.h"

namespace kg::auth {
namespace {

constexpr size_t kClaimBytesMax = 256;
constexpr size_t kRoleBytesMax = 2048;  // IAM's longest ARN
constexpr size_t kGroupsMax = 200;      // Entra puts no more into a token

// No control characters, neither ASCII nor C1: these texts go into log lines and user interfaces.
bool is_printable(std::string_view text) noexcept {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return false;
    // U+0080 to U+009F in UTF-8; the JSON parser has checked the encoding.
    if (c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return true;
}

bool is_plain(std::string_view text, size_t bytes_max) noexcept {
  return text.size() <= bytes_max && is_printable(text);
}

// "" for an absent claim; nullopt for anything but a short printable text.
std::optional<std::string> plain_claim(const JsonObject& claims, const char* name,
                                       size_t bytes_max) {
  if (!claims.has(name)) return "";
  std::optional<std::string> text = claims.text(name);
  if (!text || !is_plain(*text, bytes_max)) return std::nullopt;
  return text;
}

std::optional<std::vector<std::string>> group_claim(const JsonObject& claims, const char* name) {
  if (!claims.has(name)) return std::vector<std::string>();
  std::optional<std::vector<std::string>> groups = claims.texts(name);
  if (std::optional<std::string> one = claims.text(name)) groups.emplace({std::move(*one)});
  if (!groups || groups->size() > kGroupsMax) return std::nullopt;
  for (const std::string& group : *groups) {
    if (group.empty() || !is_plain(group, kClaimBytesMax)) return std::nullopt;
  }
  return groups;
}

}  // namespace

Result<Principal> read_claims(const JsonObject& claims, const ClaimNames& names) {
  auto subject = plain_claim(claims, names.subject.c_str(), kClaimBytesMax);
  if (!subject || subject->empty()) return refused("no subject of 1 to 256 plain bytes");
  auto endpoint = plain_claim(claims, names.endpoint.c_str(), kClaimBytesMax);
  auto virtual_cluster = plain_claim(claims, names.virtual_cluster.c_str(), kClaimBytesMax);
  auto role = plain_claim(claims, "role", kRoleBytesMax);
  auto log_context = plain_claim(claims, "log_context", kClaimBytesMax);
  auto token_id = plain_claim(claims, "jti", kClaimBytesMax);
  auto session_id = plain_claim(claims, "sid", kClaimBytesMax);
  if (!endpoint || !virtual_cluster || !role || !log_context || !token_id || !session_id) {
    return refused(
        "endpoint, virtual_cluster, role, log_context, jti or sid is not a short plain text");
  }
  if (names.needs_virtual_cluster && !endpoint->empty() && virtual_cluster->empty()) {
    return Error{ErrorCode::kForbidden, "token names an endpoint without its virtual cluster", 0};
  }
  auto groups = group_claim(claims, names.groups.c_str());
  if (!groups) return refused("groups are not at most 200 short plain texts");

  Principal principal;
  principal.subject = std::move(*subject);
  principal.groups = std::move(*groups);
  principal.endpoint = std::move(*endpoint);
  principal.virtual_cluster = std::move(*virtual_cluster);
  principal.role = std::move(*role);
  principal.log_context = std::move(*log_context);
  principal.token_id = std::move(*token_id);
  principal.session_id = std::move(*session_id);
  Result<std::vector<Claim>> others = read_further(claims, names.others);
  if (!others) return others.error();
  principal.claims = std::move(others).value();
  return principal;
}

Result<std::vector<Claim>> read_further(const JsonObject& claims,
                                        const std::vector<std::string>& names) {
  std::vector<Claim> pairs;
  for (const std::string& name : names) {
    for (std::string& value : claims.values(name.c_str())) {
      if (!is_plain(value, kClaimBytesMax)) return refused("a claim is not a short plain text");
      if (pairs.size() >= kGroupsMax) return refused("claims have more than 200 values");
      pairs.emplace_back(name, std::move(value));
    }
  }
  return pairs;
}

}  // namespace kg::auth
