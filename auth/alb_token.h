// AlbToken: x-amzn-oidc-data, what an AWS Application Load Balancer says of the user whom it logged
// in (domain A19 to A21), taken apart and compared with what it must say. Nothing of it is believed
// before verify_alb_token().
//
// It is a JWS of ES256 with three differences: its parts are padded base64url, the signature covers
// them as received, and exp, iss, client and signer stand in the header. signer is the load
// balancer's ARN: whoever has an AWS account can have another one sign any claims with a key from
// the same place, so a signer that is not ours proves nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/claims.h"
#include "auth/key_set.h"
#include "proxy/base/result.h"

namespace kg::auth {

struct AlbRules {
  std::string realm;
  std::vector<std::string> signers;  // ARNs; one of them signed
  std::string client;                // of the load balancer at the identity provider
  std::string issuer;                // the identity provider's
  ClaimNames names;
};

// The shape of a UUID: what else a token says must not become part of a URL.
bool is_alb_kid(std::string_view kid) noexcept;

struct AlbToken {
  std::string kid;                // is_alb_kid()
  std::string_view signed_bytes;  // of the token
  std::string claims;             // decoded, not parsed
  std::string signature;
  int64_t expires_at = 0;  // seconds since the epoch
};

// kUnauthorized for a token that is malformed, of another algorithm, or whose header has another
// signer, client or issuer. kSessionExpired from its exp on, without leeway: load balancer and
// proxy keep AWS's time, and the next request brings a new one. `text` must outlive the result.
Result<AlbToken> split_alb_token(std::string_view text, const AlbRules& rules, int64_t now);

// `keys`: what the kid stands for. kUnauthorized for a wrong signature and for unusable claims.
Result<Principal> verify_alb_token(const AlbToken& token, const AlbRules& rules,
                                   const KeySet& keys);

}  // namespace kg::auth
