#include "auth/alb_token.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "auth/jwt.h"
#include "auth/refusal.h"
#include "auth/strict_json.h"
#include "proxy/base/limits.h"

namespace kg::auth {
namespace {

bool is_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

const char* header_fault(const JsonObject& header, const AlbRules& rules) {
  const std::string signer = header.text("signer").value_or("");
  if (std::find(rules.signers.begin(), rules.signers.end(), signer) == rules.signers.end()) {
    return "oidc data is signed for another load balancer";
  }
  if (header.text("client") != rules.client) return "oidc data has another client";
  if (header.text("iss") != rules.issuer) return "oidc data has another issuer";
  return "";
}

}  // namespace

bool is_alb_kid(std::string_view kid) noexcept {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (kid.size() != kForm.size()) return false;
  for (size_t i = 0; i < kid.size(); ++i) {
    if (kForm[i] == '-' ? kid[i] != '-' : !is_hex(kid[i])) return false;
  }
  return true;
}

Result<AlbToken> split_alb_token(std::string_view text, const AlbRules& rules, int64_t now) {
  Result<Jwt> jwt = split_jwt(text, Padding::kAllowed);
  if (!jwt) return jwt.error();
  if (jwt->algorithm != Algorithm::kEs256) return refused("oidc data has another alg than ES256");
  if (!is_alb_kid(jwt->kid)) return refused("oidc data has a kid that is no UUID");
  if (const char* fault = header_fault(jwt->header, rules); *fault != '\0') return refused(fault);
  const std::optional<int64_t> until = jwt->header.seconds("exp");
  if (!until) return refused("oidc data has no exp that is a time");
  if (*until - now > limits::kSessionSecondsMax) return refused("oidc data lives longer than 12 h");
  if (now >= *until) return Error{ErrorCode::kSessionExpired, "oidc data exp", 0};
  AlbToken token;
  token.kid = std::move(jwt->kid);
  token.signed_bytes = jwt->signed_bytes;
  token.claims = std::move(jwt->claims);
  token.signature = std::move(jwt->signature);
  token.expires_at = *until;
  return token;
}

Result<Principal> verify_alb_token(const AlbToken& token, const AlbRules& rules,
                                   const KeySet& keys) {
  if (!keys.verify(token.kid, Algorithm::kEs256, token.signed_bytes, token.signature)) {
    return refused("oidc data signature is wrong");
  }
  const JsonObject::Parsed claims = JsonObject::parse(token.claims);
  if (!claims.object) return refused("oidc data claims are not one plain JSON object");
  Result<Principal> principal = read_claims(*claims.object, rules.names);
  if (!principal) return principal;
  principal->realm = rules.realm;
  principal->expires_at = token.expires_at;
  return principal;
}

}  // namespace kg::auth
