#include "proxy/tls/peer_certificate.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <initializer_list>
#include <string>

#include "proxy/base/limits.h"
#include "proxy/base/owned.h"

namespace kg::tls::peer_certificate_test {

using namespace std::string_literals;

// Signed by itself: verifying is OpenSSL's.
class Made {
 public:
  Made() : certificate_(X509_new()), key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")) {
    X509_set_version(certificate_.get(), X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), 3'600);
    X509_set_pubkey(certificate_.get(), key_.get());
  }
  Made& named(const char* field, const std::string& value, int form = MBSTRING_UTF8) {
    EXPECT_EQ(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate_.get()), field, form,
                                         reinterpret_cast<const unsigned char*>(value.data()),
                                         static_cast<int>(value.size()), -1, 0),
              1);
    return *this;
  }
  struct Name {
    int type;
    std::string text;
  };
  Made& alternatively(std::initializer_list<Name> names) {
    const Owned<GENERAL_NAMES, GENERAL_NAMES_free> all(GENERAL_NAMES_new());
    for (const Name& name : names) {
      ASN1_IA5STRING* value = ASN1_IA5STRING_new();
      ASN1_STRING_set(value, name.text.data(), static_cast<int>(name.text.size()));
      GENERAL_NAME* one = GENERAL_NAME_new();
      GENERAL_NAME_set0_value(one, name.type, value);
      sk_GENERAL_NAME_push(all.get(), one);
    }
    EXPECT_EQ(X509_add1_ext_i2d(certificate_.get(), NID_subject_alt_name, all.get(), 0,
                                X509V3_ADD_APPEND),
              1);
    return *this;
  }
  PeerCertificate read() const {
    EXPECT_GT(X509_sign(certificate_.get(), key_.get(), EVP_sha256()), 0);
    return read_peer_certificate(certificate_.get());
  }

 private:
  Owned<X509, X509_free> certificate_;
  Owned<EVP_PKEY, EVP_PKEY_free> key_;
};

TEST(PeerCertificate, SaysWhoItIs) {
  const PeerCertificate read = Made()
                                   .named("O", "Team 7, Inc.")
                                   .named("CN", "alice")
                                   .alternatively({{GEN_URI, "spiffe://example.com/alice"},
                                                   {GEN_EMAIL, "alice@example.com"},
                                                   {GEN_DNS, "alice.example.com"}})
                                   .read();
  EXPECT_EQ(read.common_name, "alice");
  EXPECT_EQ(read.uri, "spiffe://example.com/alice");
  EXPECT_EQ(read.email, "alice@example.com");
  EXPECT_EQ(read.dns, "alice.example.com");
  EXPECT_EQ(read.subject, "CN=alice,O=Team 7\\, Inc.");
  EXPECT_EQ(read.fingerprint.size(), 64u);
  EXPECT_NEAR(static_cast<double>(read.not_after), static_cast<double>(std::time(nullptr) + 3'600),
              5);
}

TEST(PeerCertificate, OfTwoNeitherIdentifies) {
  const PeerCertificate read = Made()
                                   .named("CN", "alice")
                                   .named("CN", "bob")
                                   .alternatively({{GEN_URI, "spiffe://a"},
                                                   {GEN_URI, "spiffe://b"},
                                                   {GEN_EMAIL, "a@example.com"},
                                                   {GEN_DNS, "a.example.com"},
                                                   {GEN_DNS, "a.example.com"}})
                                   .read();
  EXPECT_EQ(read.common_name, "");
  EXPECT_EQ(read.uri, "");
  EXPECT_EQ(read.dns, "");
  EXPECT_EQ(read.email, "a@example.com");
}

TEST(PeerCertificate, TheExtensionTwiceIsNone) {
  const PeerCertificate read = Made()
                                   .alternatively({{GEN_URI, "spiffe://a"}})
                                   .alternatively({{GEN_URI, "spiffe://b"}})
                                   .read();
  EXPECT_EQ(read.uri, "");
}

TEST(PeerCertificate, WhatCanBeReadInTwoWaysIdentifiesNobody) {
  for (const std::string& bad : {"alice\0.evil"s, "al\nice"s, "alice "s, " alice"s, "\x7f"s,
                                 "b\xc3\xbclow"s, std::string(257, 'a')}) {
    const PeerCertificate read =
        Made().alternatively({{GEN_URI, bad}, {GEN_EMAIL, bad}, {GEN_DNS, bad}}).read();
    EXPECT_EQ(read.uri + read.email + read.dns, "") << bad;
  }
  EXPECT_EQ(Made().named("CN", "b\xc3\xbclow").read().common_name, "");
  EXPECT_EQ(Made().named("CN", "al\tice").read().common_name, "");
  EXPECT_EQ(Made().named("CN", " alice").read().common_name, "");
  EXPECT_EQ(Made().named("CN", "Alice Example").read().common_name, "Alice Example");
  EXPECT_EQ(Made().alternatively({{GEN_URI, "spiffe://a b"}}).read().uri, "");
  // Two bytes for each letter, as some issuers write: the letters count.
  EXPECT_EQ(Made().named("CN", std::string("\0a\0b", 4), MBSTRING_BMP).read().common_name, "ab");
}

TEST(PeerCertificate, WithoutNamesNothing) {
  const PeerCertificate read = Made().read();
  EXPECT_EQ(read.common_name + read.uri + read.email + read.dns + read.subject, "");
}

TEST(PeerCertificate, TheSubjectForLogsIsCut) {
  Made made;
  for (int i = 0; i < 40; ++i) made.named("OU", std::string(60, 'x'));
  EXPECT_EQ(made.read().subject.size(), limits::kClientSubjectBytesMax);
}

}  // namespace kg::tls::peer_certificate_test
