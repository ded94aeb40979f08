// Makes keys and tokens for the tests of auth/, by OpenSSL directly: nothing here shares code with
// what it tests, and everything that a verifier must refuse can be forged.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_set.h"
#include "proxy/base/ascii.h"

namespace kg::auth::forge {

// A file that goes away with the test.
class TempFile {
 public:
  explicit TempFile(const std::string& text) {
    path_ = testing::TempDir() + "kg_auth_XXXXXX";
    const int fd = ::mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    std::ofstream(path_) << text;
  }
  ~TempFile() { ::unlink(path_.c_str()); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TestKey {
 public:
  static TestKey ec(const char* curve = "P-256") {
    return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
  }
  static TestKey rsa(size_t bits = 2048) {
    return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits));
  }
  static TestKey ed25519() { return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }
  static TestKey ed448() { return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")); }

  std::string private_pem() const {
    return printed([this](BIO* bio) {
      return PEM_write_bio_PKCS8PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  std::string encrypted_pem() const {
    return printed([this](BIO* bio) {
      return PEM_write_bio_PKCS8PrivateKey(bio, key_.get(), EVP_aes_128_cbc(), "pass", 4, nullptr,
                                           nullptr);
    });
  }
  std::string public_pem() const {
    return printed([this](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key_.get()); });
  }

  // The raw output of OpenSSL: DER for EC.
  std::string sign_plain(std::string_view text) const {
    const EVP_MD* digest = number_bytes() == 48 ? EVP_sha384() : EVP_sha256();
    if (EVP_PKEY_is_a(key_.get(), "ED25519") == 1) digest = nullptr;
    return signature(text, digest, [](EVP_PKEY_CTX*) {});
  }

  // RSASSA-PSS with SHA-256: PS256 if the salt has 32 bytes.
  std::string sign_pss(std::string_view text, int salt_bytes = 32) const {
    return signature(text, EVP_sha256(), [salt_bytes](EVP_PKEY_CTX* context) {
      EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), 1);
      EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt_bytes), 1);
    });
  }

  // As JWS wants it: r || s for EC.
  std::string sign(std::string_view text) const {
    std::string plain = sign_plain(text);
    if (EVP_PKEY_is_a(key_.get(), "EC") != 1) return plain;
    const auto* next = reinterpret_cast<const unsigned char*>(plain.data());
    ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &next, static_cast<long>(plain.size()));
    const int size = number_bytes();
    std::string raw(static_cast<size_t>(2 * size), '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, size);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + size, size);
    ECDSA_SIG_free(pair);
    return raw;
  }

  std::string token(std::string_view header, std::string_view claims) const {
    const std::string text = signing_input(header, claims);
    return text + '.' + ascii::base64url_encode(sign(text));
  }
  std::string pss_token(std::string_view header, std::string_view claims) const {
    const std::string text = signing_input(header, claims);
    return text + '.' + ascii::base64url_encode(sign_pss(text));
  }
  static std::string signing_input(std::string_view header, std::string_view claims) {
    return ascii::base64url_encode(header) + '.' + ascii::base64url_encode(claims);
  }

  // The key as a set of one: PEM, so that any kid fits.
  std::shared_ptr<const KeySet> set() const {
    KeySet::Loaded loaded = KeySet::from_text(public_pem());
    EXPECT_NE(loaded.keys, nullptr) << loaded.error;
    return loaded.keys;
  }

 private:
  explicit TestKey(EVP_PKEY* key) : key_(key, &EVP_PKEY_free) { EXPECT_NE(key, nullptr); }

  int number_bytes() const { return (EVP_PKEY_get_bits(key_.get()) + 7) / 8; }

  template <class SetUp>
  std::string signature(std::string_view text, const EVP_MD* digest, SetUp&& set_up) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* key_context = nullptr;
    size_t size = 0;
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    EXPECT_EQ(EVP_DigestSignInit(context, &key_context, digest, nullptr, key_.get()), 1);
    set_up(key_context);
    EXPECT_EQ(EVP_DigestSign(context, nullptr, &size, data, text.size()), 1);
    std::string signature(size, '\0');
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                             data, text.size()),
              1);
    signature.resize(size);
    EVP_MD_CTX_free(context);
    return signature;
  }

  template <class Print>
  static std::string printed(Print&& print) {
    BIO* bio = BIO_new(BIO_s_mem());
    EXPECT_EQ(print(bio), 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<size_t>(size));
    BIO_free(bio);
    return text;
  }

  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace kg::auth::forge
