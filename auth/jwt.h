// Jwt: a compact JWS (RFC 7515 section 7.1) taken apart. Nothing of it is believed yet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "auth/strict_json.h"
#include "proxy/base/result.h"

namespace kg::auth {

inline constexpr size_t kJwtPartBytesMax = size_t{12} * 1024;  // header, claims: decoded
inline constexpr size_t kJwtSignatureBytesMax = 8192 / 8;      // the largest RSA key

struct Jwt {
  JsonObject header;
  Algorithm algorithm;
  std::string kid;                // "" if none
  std::string_view signed_bytes;  // of the token: header, dot, claims, still encoded
  std::string claims;             // decoded, not parsed
  std::string signature;
};

// Whether a part may end with the `=` that RFC 7515 section 2 leaves out: an AWS load balancer's do
// (domain A19). The signature covers header and claims as received either way.
enum class Padding : uint8_t { kRefused, kAllowed };

// kUnauthorized for anything but three strict base64url parts under a header that a session may
// have: alg of this program, typ JWT or at+jwt, no crit, no key or address of a key. `token` must
// outlive the result.
Result<Jwt> split_jwt(std::string_view token, Padding padding = Padding::kRefused);

}  // namespace kg::auth
