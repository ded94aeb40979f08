#include "proxy/tls/signing_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "proxy/base/owned.h"

namespace kg::tls {
namespace {

// OpenSSL would ask the terminal.
int without_passphrase_cb(char*, int, int, void*) noexcept { return -1; }

}  // namespace

std::string signing_fault(const Secret& key) {
  const std::string_view pem = key.reveal();
  const Owned<BIO, BIO_free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Owned<EVP_PKEY, EVP_PKEY_free> parsed(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, &without_passphrase_cb, nullptr));
  if (parsed == nullptr) {
    ERR_clear_error();
    return "";
  }
  const bool is_rsa =
      EVP_PKEY_is_a(parsed.get(), "RSA") == 1 || EVP_PKEY_is_a(parsed.get(), "RSA-PSS") == 1;
  if (!is_rsa || EVP_PKEY_get_bits(parsed.get()) <= kSigningRsaBitsMax) return "";
  return "its RSA key has more than " + std::to_string(kSigningRsaBitsMax) +
         " bits, and each handshake would take a proxy long: use P-256, or RSA of 2048 bits";
}

}  // namespace kg::tls
