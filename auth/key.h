// Key: one key that may sign or verify sessions: P-256, P-384, RSA of 2048 to 8192 bits, or
// Ed25519.
//
// Owner:  a KeySet, or the minting of one token. Immutable; any thread (OpenSSL locks what it
//         caches inside an EVP_PKEY).
// What is looked up by name in OpenSSL (digest, signature) is looked up when the key is adopted;
// a check duplicates that prepared context.
// Leaves OpenSSL's error queue as it was: SSL_get_error(3) reads the same queue on this thread.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/algorithm.h"

namespace kg::auth {

// Marks OpenSSL's error queue and drops what was put on top of the mark.
class ErrorQueueGuard {
 public:
  ErrorQueueGuard() noexcept;
  ~ErrorQueueGuard();
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
};

class Key {
 public:
  struct Made {
    std::unique_ptr<const Key> key;
    const char* fault = "";  // "is ...": the end of a sentence about the key
  };
  // Takes the handle in every case. An RSA key serves RS256 and PS256 unless `only` (the `alg` of
  // its JWK) says which; the other kinds serve one algorithm.
  static Made adopt(EVP_PKEY* handle, std::string kid, std::optional<Algorithm> only = {});

  ~Key();
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  const std::string& kid() const noexcept { return kid_; }
  Algorithm algorithm() const noexcept { return uses_.front().algorithm; }  // what sign() makes
  std::vector<Algorithm> algorithms() const;
  bool serves(Algorithm algorithm) const noexcept { return use_of(algorithm) != nullptr; }
  // JWS signatures (RFC 7518 section 3, RFC 8037 section 3.1). False for an algorithm that the key
  // does not serve.
  bool verify(Algorithm algorithm, std::string_view signed_bytes,
              std::string_view signature) const noexcept;
  // Needs the private half.
  std::optional<std::string> sign(std::string_view bytes) const;
  EVP_PKEY* handle() const noexcept { return handle_.get(); }  // borrowed

 private:
  template <class Handle>
  struct Free {
    void operator()(Handle* handle) const noexcept;
  };
  struct Use {
    Algorithm algorithm;
    std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX>> prepared;  // for a check; only ever copied
  };

  Key(EVP_PKEY* handle, std::string kid) noexcept;
  bool prepare(Algorithm algorithm);
  const Use* use_of(Algorithm algorithm) const noexcept;

  std::unique_ptr<EVP_PKEY, Free<EVP_PKEY>> handle_;
  std::string kid_;
  std::vector<Use> uses_;  // one or two
};

}  // namespace kg::auth
