// Development session tokens: what `kernelgate token` prints. Production tokens come from an
// issuer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/secret.h"

namespace kg::auth {

struct SessionClaims {
  std::string issuer;
  std::string audience;
  std::string endpoint;
  std::string subject;
  std::string role;
  std::string log_context;
  std::vector<std::string> groups;
  int64_t issued_at = 0;          // seconds since the epoch
  uint32_t lifetime_seconds = 0;  // 1 .. kSessionSecondsMax
};

// A private key (PEM: EC P-256 or P-384, RSA, Ed25519) that signs. The kid is the RFC 7638
// thumbprint of its public key.
struct Minted {
  Secret token;       // empty on error
  std::string error;  // a sentence
};
Minted mint_session(const std::string& private_key_file, const SessionClaims& claims);

// An opaque token and the line that it needs in the file of auth/opaque_tokens.h. Issuer and
// audience do not matter; the endpoint may be empty.
struct MintedOpaque {
  Secret token;      // "kgt_" and 256 random bits: the prefix is for tools that look for secrets
  std::string line;  // without a line end
};
MintedOpaque mint_opaque(const SessionClaims& claims);

// The JWK Set with that key's public half, as JSON text; error as above.
struct PublicKeys {
  std::string json;
  std::string error;
};
PublicKeys public_jwks(const std::string& private_key_file);

}  // namespace kg::auth
