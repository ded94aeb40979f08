#include "routing/controller/issuer/session_terms.h"

#include <algorithm>
#include <variant>

#include "auth/key_set.h"

namespace kg::issuer {
namespace {

constexpr uint16_t kBadRequest = 400;
constexpr uint16_t kUnfit = 409;

const config::JwtSessions* sessions_of(const config::Endpoint& endpoint,
                                       const std::string& issuer) {
  for (const config::Authenticator& link : endpoint.sessions.authenticators) {
    const auto* jwt = std::get_if<config::JwtSessions>(&link);
    if (jwt != nullptr && jwt->issuer == issuer) return jwt;
  }
  return nullptr;
}

// Keys that come by URL are the proxies' to fetch; those that came along can be looked at.
bool holds_key(const config::JwtSessions& jwt, const config::Texts& texts,
               const auth::SessionSigner& signer) {
  if (!jwt.keys_file.starts_with(config::kTextPrefix)) return true;
  const auto text = texts.find(jwt.keys_file.substr(config::kTextPrefix.size()));
  if (text == texts.end()) return false;
  const auth::KeySet::Loaded loaded = auth::KeySet::from_text(text->second);
  return loaded.keys != nullptr && loaded.keys->knows(signer.kid(), signer.algorithm());
}

// One issuer's sessions are read at every endpoint that names it. Under claim names of its own an
// endpoint could have us sign what another one takes for its own id and for anybody's name.
bool has_plain_names(const config::JwtSessions& jwt) {
  const auth::ClaimNames plain;
  return jwt.subject_claim == plain.subject && jwt.endpoint_claim == plain.endpoint &&
         jwt.groups_claim == plain.groups &&
         (jwt.virtual_cluster_claim.empty() || jwt.virtual_cluster_claim == plain.virtual_cluster);
}

Terms refused(uint16_t status, std::string message) { return {status, std::move(message), {}}; }

}  // namespace

Terms terms_of(const routing::Announced& announced, const Wish& wish, const std::string& subject,
               const std::string& issuer, const auth::SessionSigner& signer, int64_t now) {
  const config::Endpoint& endpoint = announced.endpoint;
  const config::JwtSessions* jwt = sessions_of(endpoint, issuer);
  if (jwt == nullptr) {
    return refused(kUnfit, "The endpoint takes no sessions of the issuer " + issuer +
                               ": name it in kernelgate.io/issuer of its Ingress, or as the issuer "
                               "of its class.");
  }
  if (!has_plain_names(*jwt)) {
    return refused(kUnfit,
                   "The endpoint reads claims under other names than sub, endpoint, groups and "
                   "virtual_cluster, under which none of our sessions are signed: remove "
                   "kernelgate.io/subject-claim, endpoint-claim, groups-claim and "
                   "virtual-cluster-claim.");
  }
  const std::string algorithm(auth::algorithm_name(signer.algorithm()));
  if (!jwt->algorithms.empty() &&
      std::ranges::find(jwt->algorithms, algorithm) == jwt->algorithms.end()) {
    return refused(kUnfit, "The endpoint takes no sessions that are signed with " + algorithm +
                               ": add it to kernelgate.io/algorithms.");
  }
  if (!holds_key(*jwt, announced.texts, signer)) {
    return refused(kUnfit,
                   "The session keys of the endpoint do not hold the key that signs: take "
                   "them from /.well-known/jwks.json of this address, or name that in "
                   "kernelgate.io/jwks-url.");
  }
  if (wish.role != endpoint.execution_role_arn) {
    return refused(kBadRequest, endpoint.execution_role_arn.empty()
                                    ? "The endpoint has no execution role: leave "
                                      "executionRoleArn out."
                                    : "executionRoleArn is not that of the endpoint.");
  }
  auth::SessionClaims claims;
  claims.issuer = issuer;
  claims.audience = jwt->audience;
  claims.endpoint = endpoint.id;
  claims.virtual_cluster = endpoint.virtual_cluster;
  claims.subject = subject;
  claims.role = wish.role;
  claims.log_context = wish.log_context;
  claims.groups = wish.groups;
  claims.issued_at = now;
  claims.lifetime_seconds = wish.seconds;
  if (const uint64_t most_ms = endpoint.sessions.rules.max_lifetime_ms; most_ms != 0) {
    claims.lifetime_seconds =
        static_cast<uint32_t>(std::clamp<uint64_t>(most_ms / 1'000, 1, claims.lifetime_seconds));
  }
  return {200, "", std::move(claims)};
}

}  // namespace kg::issuer
