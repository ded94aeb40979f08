#include "routing/controller/ingress/holdings.h"

#include <utility>

#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/rules.h"

namespace kg::ingress {
namespace {

// A path begins with a slash, which no host holds.
std::string ownership_key(const std::string& host, const std::string& path) {
  return host.empty() ? first_element(path) : host;
}

std::string route_key(const Rule& rule) {
  const char* type = rule.type == PathType::kExact ? "=" : "~";
  return "route " + rule.host + " " + type + " " + rule.path;
}
std::string id_key(const std::string& id) { return "id " + id; }
std::string certificate_key_of(const std::string& host) { return "certificate " + host; }

}  // namespace

bool Holdings::owns(const Claimant& who, const std::string& host, const std::string& path) const {
  const std::string key = ownership_key(host, path);
  return owners_.owner_of(key) == who.name.space ||
         (who.parameters->hosts_across_namespaces && !owners_.is_sealed(key));
}

const Claim* Holdings::holder_of(const Rule& rule) const { return rest_.holder(route_key(rule)); }

const Claim* Holdings::holder_of_id(const std::string& id) const {
  return rest_.holder(id_key(id));
}

const Claim* Holdings::holder_of_certificate(const std::string& host) const {
  return rest_.holder(certificate_key_of(host));
}

void Holdings::recall(const Recollection& recollection) {
  owners_.recall(recollection.owners);
  rest_.recall(recollection.holders);
}

void Holdings::recollect(Recollection& out) const {
  out.owners = owners_.exceptions();
  out.holders = rest_.exceptions();
}

void Holdings::claim_hosts(const Claimant& who) {
  Owners::Keys keys;
  const auto claim = [&](const std::string& host, const std::string& path) {
    if (!who.parameters->allows_host(who.name.space, host)) return;
    keys.emplace(ownership_key(host, path), !who.parameters->hosts_across_namespaces);
  };
  std::string created;
  if (who.source != nullptr) {
    created = who.source->meta.created;
    for (const Rule& rule : who.source->rules) claim(rule.host, rule.path);
    for (const TlsEntry& entry : who.source->tls) {
      for (const std::string& host : entry.hosts) claim(host, "/");
    }
  }
  owners_.set(who.name, created, keys);
}

void Holdings::claim_rest(const Claimant& who, const std::vector<std::string>& ids) {
  Claims::Keys keys;
  if (who.source != nullptr) {
    const auto may_have = [&](const std::string& host, const std::string& path) {
      return who.parameters->allows_host(who.name.space, host) && owns(who, host, path);
    };
    for (const Rule& rule : who.source->rules) {
      if (may_have(rule.host, rule.path)) keys.emplace(route_key(rule), rule.is_default);
    }
    for (const TlsEntry& entry : who.source->tls) {
      for (const std::string& host : entry.hosts) {
        if (may_have(host, "/")) keys.emplace(certificate_key_of(host), false);
      }
    }
    for (const std::string& id : ids) keys.emplace(id_key(id), false);
  }
  static const Metadata nobody;
  rest_.set(who.name, who.source == nullptr ? nobody : who.source->meta, keys);
}

void Holdings::settle_rest(std::set<ObjectName>& touched) {
  for (const Claims::Change& change : rest_.settle()) {
    if (change.before) touched.insert(*change.before);
    if (const Claim* holder = rest_.holder(change.key)) touched.insert(holder->ingress);
    for (ObjectName& name : rest_.claimants(change.key, kToldMax)) touched.insert(std::move(name));
  }
}

}  // namespace kg::ingress
