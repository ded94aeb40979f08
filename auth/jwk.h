// JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037 section 2): public halves in and out.
#pragma once

#include <string>

#include "auth/key.h"
#include "auth/strict_json.h"

namespace kg::auth {

inline constexpr size_t kKidBytesMax = 256;  // thumbprints and UUIDs need under 50

// A public signing key, or what is wrong with it.
Key::Made key_from_jwk(const JsonObject& jwk);

// RFC 7638 thumbprint with SHA-256, base64url. "" if OpenSSL fails to show the key.
std::string thumbprint(const Key& key);
// One JWK with kid, alg and use, as JSON. "" as above.
std::string jwk_from_key(const Key& key, const std::string& kid);

}  // namespace kg::auth
