#include "auth/jwt_authenticator.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "auth/jwt.h"
#include "auth/refusal.h"
#include "auth/strict_json.h"
#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/base/secret.h"

namespace kg::auth {
namespace {

// RFC 7519 section 4.1.3: one text or an array of texts.
bool is_for(const JsonObject& claims, const std::string& audience) {
  if (const std::optional<std::string> one = claims.text("aud")) return *one == audience;
  const auto several = claims.texts("aud");
  return several && std::find(several->begin(), several->end(), audience) != several->end();
}

// The second from which on the session is over (RFC 7519 section 4.1.4).
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
  if (now >= *until) return Error{ErrorCode::kSessionExpired, "token exp", 0};
  return *until;
}

Result<Principal> principal_of(const JsonObject& claims, const JwtRules& rules, int64_t now) {
  const Result<int64_t> until = expiry(claims, now);
  if (!until) return until.error();
  Result<Principal> principal = read_claims(claims, rules.names);
  if (!principal) return principal;
  principal->realm = rules.realm;
  principal->issued_at = claims.seconds("iat").value_or(0);
  principal->expires_at = *until;
  return principal;
}

}  // namespace

JwtAuthenticator::JwtAuthenticator(JwtRules rules, std::shared_ptr<KeySource> keys)
    : rules_(std::move(rules)), keys_(std::move(keys)) {
  KG_ASSERT(keys_ != nullptr);
}

bool JwtAuthenticator::allows(Algorithm algorithm) const noexcept {
  const std::vector<Algorithm>& allowed = rules_.algorithms;
  return allowed.empty() || std::find(allowed.begin(), allowed.end(), algorithm) != allowed.end();
}

Verdict JwtAuthenticator::judge(const Evidence& evidence, int64_t now) const {
  return decide(evidence.token, now, keys_->may_learn());
}

void JwtAuthenticator::ask(const Evidence& evidence, int64_t now, const Answer& answer) const {
  // Whoever asks holds the Sessions, and so this, until the answer.
  keys_->learn([this, token = Secret(std::string(evidence.token)), now, answer] {
    answer(decide(token.reveal(), now, false));
  });
}

Verdict JwtAuthenticator::decide(std::string_view token, int64_t now, bool may_ask) const {
  const Result<Jwt> jwt = split_jwt(token);
  if (!jwt) return Verdict::not_mine(jwt.error().detail);
  const JsonObject::Parsed claims = JsonObject::parse(jwt->claims);
  if (!claims.object) return Verdict::not_mine("token claims are not one plain JSON object");
  const std::optional<std::string> issuer = claims.object->text("iss");
  if (!issuer || issuer->empty() || *issuer != rules_.issuer) {
    return Verdict::not_mine("token iss differs");
  }
  if (rules_.audience.empty() || !is_for(*claims.object, rules_.audience)) {
    return Verdict::not_mine("token aud differs");
  }
  if (!allows(jwt->algorithm)) return Verdict::refuses(refused("token alg is not allowed here"));
  const std::shared_ptr<const KeySet> keys = keys_->keys();
  if (keys == nullptr || !keys->knows(jwt->kid, jwt->algorithm)) {
    if (may_ask) return Verdict::ask();
    if (keys == nullptr || !keys_->is_current()) {
      return Verdict::refuses({ErrorCode::kSessionUnknown, "the issuer's keys cannot be had", 0});
    }
    return Verdict::refuses(refused("no key has the token's kid and alg"));
  }
  if (!keys->verify(jwt->kid, jwt->algorithm, jwt->signed_bytes, jwt->signature)) {
    return Verdict::refuses(refused("token signature is wrong"));
  }
  Result<Principal> principal = principal_of(*claims.object, rules_, now);
  if (!principal) return Verdict::refuses(principal.error());
  return Verdict::accepts(std::move(principal).value());
}

}  // namespace kg::auth
