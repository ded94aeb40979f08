// Certificates: the Secrets that Ingresses name for hosts, each with its last good chain and key
// (domain K10).
//
// Owner: the compiler. Cost: of the hosts of the Secret in hand.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "routing/controller/ingress/certificate.h"
#include "routing/controller/ingress/store.h"
#include "routing/feed/item.h"

namespace kg::ingress {

struct CertificateHosts {
  std::string secret;
  std::vector<std::string> hosts;
};

class Certificates {
 public:
  explicit Certificates(const Store& store) : store_(store) {}

  void touch(const ObjectName& secret);  // it changed
  // All that `ingress` names from now on, Secrets of its own namespace.
  void want(const ObjectName& ingress, const std::vector<CertificateHosts>& wanted);
  // What the Ingress named was another one's of the same name: a last good chain and key that
  // nobody else names go with it.
  void forget(const ObjectName& ingress);
  // Never a reference that outlives the next call.
  const CertificateView& view(const ObjectName& secret);

  // Secrets whose item may be another one than before.
  std::set<ObjectName> take_due();
  // None where nobody names it, or none was ever good. `left_out`: hosts beyond
  // kCertificateHostsMax.
  std::optional<feed::Item> item(const ObjectName& secret, size_t& left_out);

 private:
  struct State {
    std::optional<CertificateView> present;                // none: to be read
    CertificateView good;                                  // usable, if any was
    std::map<ObjectName, std::vector<std::string>> hosts;  // by Ingress
  };

  const Store& store_;
  std::map<ObjectName, State> states_;
  std::map<ObjectName, std::set<ObjectName>> named_by_;  // Secrets by Ingress
  std::set<ObjectName> due_;
};

}  // namespace kg::ingress
