#include "proxy/tls/signing_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "proxy/base/owned.h"

namespace kg::tls::signing_key_test {

// Of four primes, which are found in a moment.
Secret rsa_key(int bits) {
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(), 4), 1);
  EXPECT_EQ(EVP_PKEY_keygen(context.get(), &made), 1);
  const Owned<EVP_PKEY, EVP_PKEY_free> key(made);
  const Owned<BIO, BIO_free> bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr),
            1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return Secret(std::string(bytes, static_cast<size_t>(size)));
}

TEST(SigningKey, OfRsaIsNoLongerThanAWorkerCanBear) {
  EXPECT_EQ(signing_fault(rsa_key(kSigningRsaBitsMax)), "");
  EXPECT_THAT(signing_fault(rsa_key(kSigningRsaBitsMax + 256)), testing::HasSubstr("4096 bits"));
  EXPECT_EQ(signing_fault(Secret("no key")), "");
}

}  // namespace kg::tls::signing_key_test
