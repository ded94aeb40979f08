// CertificateAuthenticator: who shows a client certificate that the listener has verified is the
// person whom one of its names says.
//
// What the listener's CA signs is believed; a certificate names no endpoint, so the endpoint's
// policy must name the principal. The session ends with the certificate. Immutable; any thread.
#pragma once

#include <string>
#include <utility>

#include "auth/authenticator.h"

namespace kg::auth {

struct CertificateRules {
  std::string realm;
  std::string PeerCertificate::*name = &PeerCertificate::common_name;  // which one is the subject
};

class CertificateAuthenticator final : public Authenticator {
 public:
  explicit CertificateAuthenticator(CertificateRules rules) : rules_(std::move(rules)) {}

  Proof proof() const noexcept override { return Proof::kCertificate; }
  // kNotMine for a certificate without such a name.
  Verdict judge(const Evidence& evidence, int64_t now) const override;

 private:
  CertificateRules rules_;
};

}  // namespace kg::auth
