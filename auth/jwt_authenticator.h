// JwtAuthenticator: sessions as signed tokens (compact JWS; RFC 7519, RFC 8725).
//
// Recognises tokens whose form, issuer and audience are its own; what it does not recognise the
// next link may know. A kid without a key is asked for (kAsk) where the keys come from an issuer's
// URL. Limits: kCredentialBytesMax; header and claims at most 12 KiB each, JSON nesting 8. Refuses:
// unknown key, bad signature, not yet valid, no exp, lifetime exp - iat above
//         kSessionSecondsMax, or exp - now without iat. An expired token is kSessionExpired; while
//         the issuer's keys cannot be had, a token is kSessionUnknown.
// Clocks: kClockSkewSeconds of leeway for nbf and iat, none for exp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "auth/authenticator.h"
#include "auth/claims.h"
#include "auth/key_source.h"

namespace kg::auth {

struct JwtRules {
  std::string realm;
  std::string issuer;
  std::string audience;
  std::vector<Algorithm> algorithms;  // empty: those that the keys name
  ClaimNames names;
};

class JwtAuthenticator final : public Authenticator {
 public:
  JwtAuthenticator(JwtRules rules, std::shared_ptr<KeySource> keys);

  Proof proof() const noexcept override { return Proof::kToken; }
  Verdict judge(const Evidence& evidence, int64_t now) const override;
  void ask(const Evidence& evidence, int64_t now, const Answer& answer) const override;
  uint64_t generation() const noexcept override { return keys_->generation(); }
  const JwtRules& rules() const noexcept { return rules_; }

 private:
  bool allows(Algorithm algorithm) const noexcept;
  // What judge() says; kAsk only if `may_ask`.
  Verdict decide(std::string_view token, int64_t now, bool may_ask) const;

  JwtRules rules_;
  std::shared_ptr<KeySource> keys_;
};

}  // namespace kg::auth
