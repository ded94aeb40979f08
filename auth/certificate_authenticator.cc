#include "auth/certificate_authenticator.h"

#include <utility>

namespace kg::auth {

Verdict CertificateAuthenticator::judge(const Evidence& evidence, int64_t now) const {
  const PeerCertificate& certificate = *evidence.certificate;
  const std::string& name = certificate.*rules_.name;
  if (name.empty()) return Verdict::not_mine("the certificate does not hold one name of that kind");
  // A connection outlives its handshake.
  if (now >= certificate.not_after) {
    return Verdict::refuses({ErrorCode::kSessionExpired, "certificate notAfter", 0});
  }
  Principal who;
  who.realm = rules_.realm;
  who.subject = name;
  who.token_id = certificate.fingerprint;
  who.expires_at = certificate.not_after;
  return Verdict::accepts(std::move(who));
}

}  // namespace kg::auth
