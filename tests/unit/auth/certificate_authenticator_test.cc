#include "auth/certificate_authenticator.h"

#include <gtest/gtest.h>

namespace kg::auth::certificate_authenticator_test {

constexpr int64_t kNow = 1'800'000'000;

PeerCertificate alice() {
  PeerCertificate certificate;
  certificate.fingerprint = "ab12";
  certificate.common_name = "alice";
  certificate.uri = "spiffe://example.com/alice";
  certificate.not_after = kNow + 60;
  return certificate;
}

Verdict judged(const PeerCertificate& certificate, std::string PeerCertificate::*name,
               int64_t now = kNow) {
  const CertificateAuthenticator link({"pki", name});
  Evidence evidence;
  evidence.certificate = &certificate;
  EXPECT_TRUE(evidence.has(link.proof()));
  return link.judge(evidence, now);
}

TEST(CertificateAuthenticator, OneNameIsTheSubject) {
  const Verdict verdict = judged(alice(), &PeerCertificate::common_name);
  ASSERT_EQ(verdict.kind, Verdict::Kind::kPrincipal);
  EXPECT_EQ(verdict.principal.realm, "pki");
  EXPECT_EQ(verdict.principal.subject, "alice");
  EXPECT_EQ(verdict.principal.token_id, "ab12");
  EXPECT_EQ(verdict.principal.expires_at, kNow + 60);
  EXPECT_EQ(verdict.principal.endpoint, "");  // the policy decides
  EXPECT_EQ(judged(alice(), &PeerCertificate::uri).principal.subject, "spiffe://example.com/alice");
}

TEST(CertificateAuthenticator, WithoutThatNameItIsNobodys) {
  EXPECT_EQ(judged(alice(), &PeerCertificate::email).kind, Verdict::Kind::kNotMine);
  EXPECT_EQ(judged(alice(), &PeerCertificate::dns).kind, Verdict::Kind::kNotMine);
}

TEST(CertificateAuthenticator, TheSessionEndsWithTheCertificate) {
  const Verdict verdict = judged(alice(), &PeerCertificate::common_name, kNow + 60);
  EXPECT_EQ(verdict.kind, Verdict::Kind::kRefused);
  EXPECT_EQ(verdict.error.code, ErrorCode::kSessionExpired);
}

}  // namespace kg::auth::certificate_authenticator_test
