// A fixed key of a session issuer, and the rules that its tokens meet in fuzz targets. The key is
// the example of RFC 8037 appendix A: everybody knows it, and Ed25519 signs alike in every run.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "auth/jwk.h"
#include "auth/key.h"
#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "tests/unit/auth/door.h"

namespace kg::fuzz {

inline constexpr int64_t kNow = 1'700'000'000;

inline std::unique_ptr<const auth::Key> issuer_key() {
  const auto seed = ascii::base64url_decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
  KG_ASSERT(seed.has_value());
  auth::Key::Made made =
      auth::Key::adopt(EVP_PKEY_new_raw_private_key(
                           EVP_PKEY_ED25519, nullptr,
                           reinterpret_cast<const unsigned char*>(seed->data()), seed->size()),
                       "fuzz");
  KG_ASSERT(made.key != nullptr);
  return std::move(made.key);
}

// That key, and the P-256 key of RFC 7515 appendix A.3, whose example token is signed well.
inline auth::Door verifier() {
  const std::string set =
      R"({"keys":[)" + auth::jwk_from_key(*issuer_key(), "fuzz") +
      R"(,{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
      R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";
  const auth::KeySet::Loaded loaded = auth::KeySet::from_text(set);
  KG_ASSERT(loaded.keys != nullptr);
  auth::DoorRules policy;
  policy.realm = "fuzz";
  policy.issuer = "https://issuer.test";
  policy.audience = "kernelgate";
  policy.endpoint_id = "ep";
  policy.virtual_cluster = "vc";
  policy.execution_role_arn = "arn:aws:iam::111122223333:role/r";
  return {std::move(policy), loaded.keys};
}

// A token with these claims, whatever they are.
inline std::string signed_token(const auth::Key& key, std::string_view claims) {
  std::string token = ascii::base64url_encode(R"({"alg":"EdDSA","kid":"fuzz","typ":"JWT"})") + '.' +
                      ascii::base64url_encode(claims);
  const auto signature = key.sign(token);
  KG_ASSERT(signature.has_value());
  return token + '.' + ascii::base64url_encode(*signature);
}

// A session that verifier() lets in.
inline std::string good_token() {
  return signed_token(*issuer_key(), R"({"iss":"https://issuer.test","aud":"kernelgate",)"
                                     R"("sub":"alice","endpoint":"ep","iat":1700000000,)"
                                     R"("exp":1700000900})");
}

}  // namespace kg::fuzz
