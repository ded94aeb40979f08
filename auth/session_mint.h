// Development session tokens: what `kernelgate token` prints. Production tokens come from an
// issuer, which may be the controller (routing/controller/issuer).
#pragma once

#include <string>

#include "auth/session_signer.h"

namespace kg::auth {

// By the first key of that file; see SessionSigner.
Minted mint_session(const std::string& private_key_file, const SessionClaims& claims);

// An opaque token and the line that it needs in the file of auth/opaque_tokens.h. Issuer and
// audience do not matter; the endpoint may be empty.
struct MintedOpaque {
  Secret token;      // "kgt_" and 256 random bits: the prefix is for tools that look for secrets
  std::string line;  // without a line end
};
MintedOpaque mint_opaque(const SessionClaims& claims);

// The JWK Set with the public halves, as JSON text; error as above.
struct PublicKeys {
  std::string json;
  std::string error;
};
PublicKeys public_jwks(const std::string& private_key_file);

}  // namespace kg::auth
