// A Secret of type kubernetes.io/tls as what a listener can present (domain K10).
//
// Values. The key is in no message.
#pragma once

#include <string>
#include <unordered_set>

#include "proxy/base/secret.h"
#include "routing/controller/ingress/source.h"

namespace kg::ingress {

struct CertificateView {
  std::string problem;                    // "" if it can be presented
  std::string chain;                      // PEM
  Secret key;                             // PEM
  std::unordered_set<std::string> names;  // hosts it speaks for

  bool is_usable() const noexcept { return problem.empty(); }
  bool speaks_for(const std::string& host) const;
};

// `secret` null: it is not there.
CertificateView read_certificate(const SecretSource* secret);

}  // namespace kg::ingress
