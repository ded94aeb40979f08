#include "routing/controller/ingress/certificate.h"

#include <algorithm>

#include "proxy/tls/certificate.h"
#include "proxy/tls/signing_key.h"
#include "routing/controller/ingress/rules.h"

namespace kg::ingress {

bool CertificateView::speaks_for(const std::string& host) const {
  return std::ranges::any_of(names, [&](const std::string& name) { return covers(name, host); });
}

CertificateView read_certificate(const SecretSource* secret) {
  CertificateView out;
  if (secret == nullptr) {
    out.problem = "is not in this namespace: make it there";
    return out;
  }
  const Secret* chain = secret->find("tls.crt");
  const Secret* key = secret->find("tls.key");
  if (secret->type != "kubernetes.io/tls") {
    out.problem = "is of type " + quote(secret->type) + ": make it of type kubernetes.io/tls";
  } else if (secret->is_too_large) {
    out.problem = "is larger than 256 KiB: leave out all but tls.crt and tls.key";
  } else if (chain == nullptr || chain->empty() || key == nullptr || key->empty()) {
    out.problem = "lacks tls.crt or tls.key: give both, in PEM";
  }
  if (!out.problem.empty()) return out;
  tls::CertificateText text;
  text.file = "tls.crt";
  text.key_file = "tls.key";
  text.chain = chain->reveal();
  text.key = *key;
  std::string error;
  const auto parsed = tls::Certificate::parse(text, error);
  if (parsed == nullptr) {
    out.problem = "cannot be used (" + error + "): give a chain, leaf first, and its own key";
    return out;
  }
  if (const std::string slow = tls::signing_fault(*key); !slow.empty()) {
    out.problem = "cannot be used: " + slow;
    return out;
  }
  out.names = parsed->names();
  out.chain = std::move(text.chain);
  out.key = std::move(text.key);
  return out;
}

}  // namespace kg::ingress
