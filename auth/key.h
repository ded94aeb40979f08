// Key: one key that may sign or verify sessions: P-256, RSA of 2048 to 8192 bits, or Ed25519.
//
// Owner:  a KeySet, or the minting of one token. Immutable; any thread (OpenSSL locks what it
//         caches inside an EVP_PKEY).
// Leaves OpenSSL's error queue as it was: SSL_get_error(3) reads the same queue on this thread.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/key_set.h"

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
  // Takes the handle in every case.
  static Made adopt(EVP_PKEY* handle, std::string kid);

  ~Key();
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  const std::string& kid() const noexcept { return kid_; }
  Algorithm algorithm() const noexcept { return algorithm_; }
  // JWS signatures (RFC 7518 section 3, RFC 8037 section 3.1).
  bool verify(std::string_view signed_bytes, std::string_view signature) const noexcept;
  // Needs the private half.
  std::optional<std::string> sign(std::string_view bytes) const;
  EVP_PKEY* handle() const noexcept { return handle_.get(); }  // borrowed

 private:
  Key(EVP_PKEY* handle, std::string kid, Algorithm algorithm);

  struct HandleFree {
    void operator()(EVP_PKEY* handle) const noexcept;
  };
  std::unique_ptr<EVP_PKEY, HandleFree> handle_;
  std::string kid_;
  Algorithm algorithm_;
};

}  // namespace kg::auth
