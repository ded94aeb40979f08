// KeySet: the public keys that sessions may be signed with, from a JWK Set (RFC 7517) or PEM file.
//
// Immutable; any thread. OpenSSL stays behind Key. Keys other than P-256 (ES256), P-384 (ES384),
// RSA of 2048 to 8192 bits (RS256 and PS256) and Ed25519 (EdDSA) are refused, so are private or
// symmetric JWKs, `use` other than sig, an `alg` that does not fit the key, duplicate kids, and
// more than 64 keys. The algorithm of a token must be one of the key that its kid names: a token
// never chooses how its key is used (RFC 8725 section 3.1).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/algorithm.h"

namespace kg::auth {

inline constexpr size_t kKeysMax = 64;

class Key;  // kid, algorithms, EVP_PKEY

class KeySet {
 public:
  // Either the keys, or a sentence that says what is wrong with which key.
  struct Loaded {
    std::shared_ptr<const KeySet> keys;
    std::string error;
  };
  static Loaded from_text(std::string_view text);  // JWK Set JSON, or PEM public keys
  static Loaded from_file(const std::string& path);
  // A JWK Set from an issuer's URL: keys that are not for us (another use, kind or algorithm) are
  // left out, as RFC 7517 section 5 says, and an empty set withdraws all keys.
  static Loaded from_issuer(std::string_view text);

  ~KeySet();
  KeySet(const KeySet&) = delete;
  KeySet& operator=(const KeySet&) = delete;
  // Is there a key that verify() would try? PEM keys have no kid and answer to any.
  bool knows(std::string_view kid, Algorithm algorithm) const noexcept;
  // Verifies `signature` (raw r||s for ES256 and ES384) over `signed_bytes`. With an empty kid
  // every key of that algorithm is tried. False for an unknown kid.
  bool verify(std::string_view kid, Algorithm algorithm, std::string_view signed_bytes,
              std::string_view signature) const noexcept;
  // Is each key of `other` here too, with the same kid?
  bool holds_all_of(const KeySet& other) const noexcept;
  std::vector<Algorithm> algorithms() const;
  size_t size() const noexcept;

 private:
  KeySet();
  static Loaded from_pem(std::string_view text);
  static Loaded from_jwk_set(std::string_view text);
  bool fits(const Key& key, std::string_view kid, Algorithm algorithm) const noexcept;

  std::vector<std::unique_ptr<const Key>> keys_;
  bool any_kid_ = false;  // from PEM
};

}  // namespace kg::auth
