#include "auth/session_verifier.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "auth/jwt.h"
#include "auth/strict_json.h"
#include "proxy/base/assert.h"
#include "proxy/base/limits.h"

namespace kg::auth {
namespace {

constexpr size_t kClaimBytesMax = 256;
constexpr size_t kRoleBytesMax = 2048;  // IAM's longest ARN
constexpr size_t kGroupsMax = 64;

std::atomic<uint64_t> last_generation{0};

Error refused(const char* detail) { return {ErrorCode::kUnauthorized, detail, 0}; }

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

std::optional<std::vector<std::string>> group_claim(const JsonObject& claims) {
  if (!claims.has("groups")) return std::vector<std::string>();
  std::optional<std::vector<std::string>> groups = claims.texts("groups");
  if (!groups || groups->size() > kGroupsMax) return std::nullopt;
  for (const std::string& group : *groups) {
    if (group.empty() || !is_plain(group, kClaimBytesMax)) return std::nullopt;
  }
  return groups;
}

// RFC 7519 section 4.1.3: one text or an array of texts.
bool is_for(const JsonObject& claims, const std::string& audience) {
  if (const std::optional<std::string> one = claims.text("aud")) return *one == audience;
  const auto several = claims.texts("aud");
  return several && std::find(several->begin(), several->end(), audience) != several->end();
}

// The moment at which the session ends. It may be past: allow() judges that.
Result<int64_t> expiry(const JsonObject& claims, int64_t now) {
  constexpr int64_t kSkew = limits::kClockSkewSeconds;
  for (const char* name : {"nbf", "iat"}) {
    if (!claims.has(name)) continue;
    const std::optional<int64_t> from = claims.seconds(name);
    if (!from) return refused("token nbf or iat is not a time");
    if (*from > now + kSkew) return refused("token is not yet valid (nbf or iat)");
  }
  const std::optional<int64_t> until = claims.seconds("exp");
  if (!until) return refused("token has no exp that is a time");
  const int64_t from = claims.seconds("iat").value_or(now);
  if (*until - from > limits::kSessionSecondsMax) return refused("token lives longer than 12 h");
  return *until;
}

Result<Principal> principal_of(const JsonObject& claims, const SessionPolicy& policy, int64_t now) {
  const std::optional<std::string> issuer = claims.text("iss");
  if (!issuer || issuer->empty() || *issuer != policy.issuer) return refused("token iss differs");
  if (policy.audience.empty() || !is_for(claims, policy.audience)) {
    return refused("token aud differs");
  }
  const Result<int64_t> until = expiry(claims, now);
  if (!until) return until.error();
  auto subject = plain_claim(claims, "sub", kClaimBytesMax);
  if (!subject || subject->empty()) return refused("token has no sub of 1 to 256 plain bytes");
  auto endpoint = plain_claim(claims, "endpoint", kClaimBytesMax);
  auto role = plain_claim(claims, "role", kRoleBytesMax);
  auto log_context = plain_claim(claims, "log_context", kClaimBytesMax);
  auto token_id = plain_claim(claims, "jti", kClaimBytesMax);
  auto groups = group_claim(claims);
  if (!endpoint || !role || !log_context || !token_id) {
    return refused("token endpoint, role, log_context or jti is not a short plain text");
  }
  if (!groups) return refused("token groups is not an array of at most 64 short plain texts");

  Principal principal;
  principal.realm = policy.realm;
  principal.subject = std::move(*subject);
  principal.groups = std::move(*groups);
  principal.endpoint = std::move(*endpoint);
  principal.role = std::move(*role);
  principal.log_context = std::move(*log_context);
  principal.token_id = std::move(*token_id);
  principal.expires_at = *until;
  return principal;
}

}  // namespace

SessionVerifier::SessionVerifier(SessionPolicy policy, std::shared_ptr<const KeySet> keys)
    : policy_(std::move(policy)), keys_(std::move(keys)), generation_(++last_generation) {
  KG_ASSERT(keys_ != nullptr);
  if (policy_.algorithms.empty()) policy_.algorithms = keys_->algorithms();
}

bool SessionVerifier::allows(Algorithm algorithm) const noexcept {
  const std::vector<Algorithm>& allowed = policy_.algorithms;
  return std::find(allowed.begin(), allowed.end(), algorithm) != allowed.end();
}

Result<Principal> SessionVerifier::verify(std::string_view token, int64_t now) const {
  const Result<Jwt> jwt = split_jwt(token);
  if (!jwt) return jwt.error();
  if (!allows(jwt->algorithm)) return refused("token alg is not allowed here");
  if (!keys_->knows(jwt->kid, jwt->algorithm)) return refused("no key has the token's kid and alg");
  if (!keys_->verify(jwt->kid, jwt->algorithm, jwt->signed_bytes, jwt->signature)) {
    return refused("token signature is wrong");
  }
  const JsonObject::Parsed claims = JsonObject::parse(jwt->claims);
  if (!claims.object) return refused("token claims are not one plain JSON object");
  Result<Principal> principal = principal_of(*claims.object, policy_, now);
  if (!principal) return principal;
  if (const Result<void> allowed = allow(*principal, now); !allowed) return allowed.error();
  return principal;
}

Result<void> SessionVerifier::allow(const Principal& principal, int64_t now) const {
  if (principal.realm != policy_.realm) return refused("session of another realm");
  // RFC 7519 section 4.1.4: from that second on.
  if (now >= principal.expires_at) return Error{ErrorCode::kSessionExpired, "token exp", 0};
  if (principal.endpoint.empty()) {
    return Error{ErrorCode::kForbidden, "token names no endpoint", 0};
  }
  if (principal.endpoint != policy_.endpoint_id) {
    return Error{ErrorCode::kForbidden, "token is for another endpoint", 0};
  }
  if (!principal.role.empty() && !policy_.execution_role_arn.empty() &&
      principal.role != policy_.execution_role_arn) {
    return Error{ErrorCode::kForbidden, "token is for another execution role", 0};
  }
  return {};
}

}  // namespace kg::auth
