#include "routing/feed/seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/owned.h"

namespace kg::feed {
namespace {

constexpr std::string_view kPurpose = "kernelgate feed copy 1";
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Nonce = std::array<unsigned char, 12>;

Nonce nonce_of(uint64_t number) noexcept {
  Nonce nonce{};
  for (size_t i = 0; i < sizeof(number); ++i) {
    nonce[nonce.size() - 1 - i] = static_cast<unsigned char>(number >> (8 * i));
  }
  return nonce;
}

OSSL_PARAM octets(const char* name, std::string_view bytes) noexcept {
  // OpenSSL reads them only.
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

unsigned char* bytes_in(std::string& text) noexcept {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

Seal::Seal(const Secret& secret, std::string_view salt) {
  const Owned<EVP_KDF, EVP_KDF_free> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const Owned<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(kdf.get()));
  std::string digest = "SHA256";
  const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
                          octets(OSSL_KDF_PARAM_KEY, secret.reveal()),
                          octets(OSSL_KDF_PARAM_SALT, salt), octets(OSSL_KDF_PARAM_INFO, kPurpose),
                          OSSL_PARAM_construct_end()};
  KG_ASSERT(context != nullptr &&
            EVP_KDF_derive(context.get(), key_.data(), key_.size(), params.data()) == 1);
}

Seal::~Seal() { OPENSSL_cleanse(key_.data(), key_.size()); }

std::string Seal::close(uint64_t number, std::string_view text) const {
  const CipherContext context(EVP_CIPHER_CTX_new());
  const Nonce nonce = nonce_of(number);
  std::string out(text.size() + kTagBytes, '\0');
  int size = 0;
  int rest = 0;
  const bool done =
      context != nullptr &&
      EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), key_.data(), nonce.data(), nullptr) ==
          1 &&
      EVP_EncryptUpdate(context.get(), bytes_in(out), &size, crypto::bytes_of(text),
                        static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), bytes_in(out) + size, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kTagBytes),
                          bytes_in(out) + text.size()) == 1;
  KG_ASSERT(done && static_cast<size_t>(size + rest) == text.size());
  return out;
}

std::optional<std::string> Seal::open(uint64_t number, std::string_view sealed) const {
  if (sealed.size() < kTagBytes) return std::nullopt;
  const CipherContext context(EVP_CIPHER_CTX_new());
  const Nonce nonce = nonce_of(number);
  const std::string_view text = sealed.substr(0, sealed.size() - kTagBytes);
  std::string tag(sealed.substr(text.size()));
  std::string out(text.size(), '\0');
  int size = 0;
  int rest = 0;
  const bool good = context != nullptr &&
                    EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), key_.data(), nonce.data(),
                                        nullptr) == 1 &&
                    EVP_DecryptUpdate(context.get(), bytes_in(out), &size, crypto::bytes_of(text),
                                      static_cast<int>(text.size())) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG,
                                        static_cast<int>(kTagBytes), tag.data()) == 1 &&
                    EVP_DecryptFinal_ex(context.get(), bytes_in(out) + size, &rest) == 1;
  if (!good) return std::nullopt;
  return out;
}

}  // namespace kg::feed
