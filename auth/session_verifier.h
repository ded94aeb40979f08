// SessionVerifier decides one endpoint's sessions from a compact JWT (RFC 7519, RFC 8725).
//
// Owner:  the route snapshot's endpoint, shared_ptr<const>. Immutable.
// Thread: any.
// Limits: kCredentialBytesMax; header and claims at most 8 KiB each, JSON nesting 8.
// Errors: kUnauthorized (nothing to see: malformed, unknown key, bad signature, wrong issuer or
//         audience, not yet valid, no exp, lifetime exp - iat above kSessionSecondsMax, or exp -
//         now without iat), kSessionExpired, kForbidden (a valid session for another endpoint or
//         none, or of another role). `detail` tells the operator which check failed, never a value.
// Clocks: kClockSkewSeconds of leeway for nbf and iat, none for exp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_set.h"
#include "auth/principal.h"
#include "proxy/base/result.h"

namespace kg::auth {

struct SessionPolicy {
  std::string realm;
  std::string issuer;
  std::string audience;
  std::vector<Algorithm> algorithms;  // empty: those that the keys name
  std::string endpoint_id;            // the `endpoint` claim must equal it: default deny
  std::string execution_role_arn;     // a `role` claim must equal it when both are given
};

class SessionVerifier {
 public:
  SessionVerifier(SessionPolicy policy, std::shared_ptr<const KeySet> keys);

  // `now`: seconds since the epoch. Signature, issuer, audience, times: who is it? Ends with
  // allow(): one call is enough to keep strangers out.
  Result<Principal> verify(std::string_view token, int64_t now) const;
  // May that principal, verified here earlier, still use this endpoint? Cheap: for cached
  // principals.
  Result<void> allow(const Principal& principal, int64_t now) const;
  const SessionPolicy& policy() const noexcept { return policy_; }
  // Never 0; another one for every verifier of the process (copies share it: they judge alike).
  // Unlike an address it is not used again, so nothing that was cached for a dead verifier answers
  // for a new one.
  uint64_t generation() const noexcept { return generation_; }

 private:
  bool allows(Algorithm algorithm) const noexcept;

  SessionPolicy policy_;
  std::shared_ptr<const KeySet> keys_;
  uint64_t generation_;
};

}  // namespace kg::auth
