#include "proxy/tls/certificate.h"

#include <gmock/gmock.h>

#include <ctime>

#include "tests/unit/tls/certificates.h"

namespace kg::tls::certificate_test {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class CertificateTest : public testing::Test {
 protected:
  static std::unique_ptr<const Certificate> parse(const CertificateText& text) {
    std::string error;
    auto certificate = Certificate::parse(text, error);
    EXPECT_NE(certificate, nullptr) << error;
    return certificate;
  }
  CertificateText text_of(const std::string& names) {
    return listener_of({folder_.make("leaf", names)}).certificates.at(0);
  }
  static std::string fault_of(const CertificateText& text) {
    std::string error;
    EXPECT_EQ(Certificate::parse(text, error), nullptr);
    return error;
  }

  CertificateFolder folder_;
};

TEST_F(CertificateTest, CoversTheNamesAndAddressesOfItsLeaf) {
  const auto certificate = parse(text_of("DNS:A.test,DNS:*.wild.test,IP:127.0.0.1,IP:2001:db8::1"));
  EXPECT_THAT(certificate->names(),
              UnorderedElementsAre("a.test", "*.wild.test", "127.0.0.1", "2001:db8::1"));
  for (const char* host :
       {"a.test", "x.wild.test", "127.0.0.1", "[2001:db8::1]", "[2001:0db8:0::0:1]"}) {
    EXPECT_TRUE(certificate->covers(host)) << host;
  }
  for (const char* host : {"b.test", "wild.test", "x.y.wild.test", ".wild.test", "leaf", "",
                           "127.0.0.2", "[::1]", "[nonsense]", "["}) {
    EXPECT_FALSE(certificate->covers(host)) << host;
  }
}

TEST_F(CertificateTest, ACommonNameCoversNothing) {
  EXPECT_FALSE(parse(text_of(""))->covers("leaf"));
}

TEST_F(CertificateTest, OneOfOurOwnCoversEverything) {
  const CertificateText text = CertificateText::self_signed();
  EXPECT_TRUE(text.is_own());
  const auto certificate = parse(text);
  EXPECT_TRUE(certificate->covers("any.test"));
  EXPECT_GT(certificate->not_after_s(), time(nullptr) + 365 * 24 * 3'600);
  EXPECT_FALSE(text.same_bytes(CertificateText::self_signed()));
}

TEST_F(CertificateTest, KnowsItsEnd) {
  EXPECT_NEAR(static_cast<double>(parse(text_of(""))->not_after_s()),
              static_cast<double>(time(nullptr) + 3'600), 60);
}

TEST_F(CertificateTest, AChainThatBreaksOffIsNoChain) {
  CertificateText text = text_of("DNS:a.test");
  text.chain += text.chain;
  EXPECT_NE(parse(text), nullptr);
  text.chain.resize(text.chain.size() * 3 / 4);
  EXPECT_THAT(fault_of(text), HasSubstr("leaf.crt holds no usable certificate chain"));
  text.chain.clear();
  EXPECT_THAT(fault_of(text), HasSubstr("leaf.crt holds no usable certificate chain"));
}

TEST_F(CertificateTest, AnEncryptedKeyIsRefusedWithoutAskingAnybody) {
  CertificateText text = text_of("DNS:a.test");
  text.key = Secret(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgAAAAAAAAAAAICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAAAAAAAAAAAAAAAAAAAAAAEgZAA\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_THAT(fault_of(text), HasSubstr("leaf.key holds no usable key for"));
}

TEST_F(CertificateTest, AMissingFileIsNamed) {
  std::string error;
  const CertificateFiles files = folder_.make("leaf", "");
  EXPECT_FALSE(CertificateText::read(folder_.path("none.crt"), files.private_key, error));
  EXPECT_THAT(error, HasSubstr("none.crt cannot be opened"));
  EXPECT_FALSE(CertificateText::read(files.certificate, folder_.path("none.key"), error));
  EXPECT_THAT(error, HasSubstr("none.key cannot be opened"));
}

}  // namespace kg::tls::certificate_test
