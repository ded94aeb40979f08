#include "routing/controller/ingress/certificates.h"

#include <memory>
#include <utility>

#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/payload.h"

namespace kg::ingress {

void Certificates::touch(const ObjectName& secret) {
  const auto state = states_.find(secret);
  if (state == states_.end()) return;
  state->second.present.reset();
  due_.insert(secret);
}

void Certificates::want(const ObjectName& ingress, const std::vector<CertificateHosts>& wanted) {
  std::map<ObjectName, std::vector<std::string>> by_secret;
  for (const CertificateHosts& certificate : wanted) {
    std::vector<std::string>& hosts = by_secret[{ingress.space, certificate.secret}];
    hosts.insert(hosts.end(), certificate.hosts.begin(), certificate.hosts.end());
  }
  std::set<ObjectName> before = std::exchange(named_by_[ingress], {});
  for (auto& [secret, hosts] : by_secret) {
    before.erase(secret);
    named_by_[ingress].insert(secret);
    std::vector<std::string>& known = states_[secret].hosts[ingress];
    if (known == hosts) continue;
    known = std::move(hosts);
    due_.insert(secret);
  }
  for (const ObjectName& secret : before) {
    if (states_[secret].hosts.erase(ingress) > 0) due_.insert(secret);
  }
  if (named_by_[ingress].empty()) named_by_.erase(ingress);
}

void Certificates::forget(const ObjectName& ingress) {
  const auto named = named_by_.find(ingress);
  if (named == named_by_.end()) return;
  for (const ObjectName& secret : named->second) {
    State& state = states_[secret];
    state.hosts.erase(ingress);
    if (state.hosts.empty()) state.good = {};
    state.present.reset();
    due_.insert(secret);
  }
  named_by_.erase(named);
}

const CertificateView& Certificates::view(const ObjectName& secret) {
  State& state = states_[secret];
  if (!state.present) {
    state.present = read_certificate(store_.secret(secret));
    if (state.present->is_usable()) state.good = *state.present;
    due_.insert(secret);
  }
  return *state.present;
}

std::set<ObjectName> Certificates::take_due() {
  std::set<ObjectName> due = std::exchange(due_, {});
  for (const ObjectName& secret : due) {
    const auto state = states_.find(secret);
    if (state == states_.end()) continue;
    if (state->second.hosts.empty()) {
      states_.erase(state);
    } else {
      view(secret);
    }
  }
  due_.clear();
  return due;
}

std::optional<feed::Item> Certificates::item(const ObjectName& secret, size_t& left_out) {
  left_out = 0;
  const auto state = states_.find(secret);
  if (state == states_.end() || state->second.good.chain.empty()) return std::nullopt;
  std::set<std::string> all;
  for (const auto& [ingress, named] : state->second.hosts) all.insert(named.begin(), named.end());
  std::vector<std::string> hosts(all.begin(), all.end());
  if (hosts.size() > kCertificateHostsMax) {
    left_out = hosts.size() - kCertificateHostsMax;
    hosts.resize(kCertificateHostsMax);
  }
  return feed::Item{
      certificate_key(secret), secret.space, "",
      std::make_shared<const std::string>(payload_of(secret, hosts, state->second.good))};
}

}  // namespace kg::ingress
