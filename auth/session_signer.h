// SessionSigner: private keys that sign session tokens, and their public halves.
//
// Immutable; any thread. A file holds 1 to kSigningKeysMax keys in PEM (EC P-256 or P-384, RSA,
// Ed25519; without a passphrase): the first one signs, all are published, so that a key may be
// known before it signs and after it has. The kid is the RFC 7638 thumbprint of the public key.
// Errors: a sentence with the path, never a byte of a key.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/algorithm.h"
#include "auth/claims.h"
#include "proxy/base/secret.h"

namespace kg::auth {

inline constexpr size_t kSigningKeysMax = 4;

class Key;

struct SessionClaims {
  std::string issuer;
  std::string audience;
  std::string endpoint;
  std::string virtual_cluster;  // of that endpoint; "": the token does not say
  std::string subject;
  std::string role;
  std::string log_context;
  std::string token_id;  // "": a random one
  std::vector<std::string> groups;
  int64_t issued_at = 0;          // seconds since the epoch
  uint32_t lifetime_seconds = 0;  // 1 .. kSessionSecondsMax
  ClaimNames names;               // as the endpoint expects them
};

struct Minted {
  Secret token;       // empty on error
  std::string error;  // a sentence
};

class SessionSigner {
 public:
  struct Loaded {
    std::shared_ptr<const SessionSigner> signer;  // null on error
    std::string error;
  };
  static Loaded from_file(const std::string& path);
  ~SessionSigner();
  SessionSigner(const SessionSigner&) = delete;
  SessionSigner& operator=(const SessionSigner&) = delete;

  Minted sign(const SessionClaims& claims) const;
  const std::string& kid() const noexcept;  // of the key that signs
  Algorithm algorithm() const noexcept;     // of the same
  // The JWK Set of all keys, as JSON.
  const std::string& public_jwks() const noexcept { return public_jwks_; }

 private:
  SessionSigner();

  std::vector<std::unique_ptr<const Key>> keys_;
  std::string public_jwks_;
};

// The members of a claims set that tokens of every kind have, appended to `json`, which is begun
// ("{" or more).
void append_common_claims(const SessionClaims& claims, std::string& json);

}  // namespace kg::auth
