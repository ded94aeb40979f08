#include "routing/controller/ingress/holdings.h"

#include <limits>
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

// No host and no path begins so.
constexpr char kSeal = '!';
std::string seal_key(const std::string& space, const std::string& key) {
  return kSeal + space + " " + key;
}

}  // namespace

// Whose it was before what `before` holds.
std::string Holdings::owner_then(const std::string& key, const Before& before) const {
  const auto holder_then = [&](const std::string& wanted) -> const Claim* {
    const auto changed = before.find(wanted);
    if (changed == before.end()) return hosts_.holder(wanted);
    return changed->second ? &*changed->second : nullptr;
  };
  const Claim* head = holder_then(key);
  const std::string wildcard = key.starts_with('/') ? "" : wildcard_of(key);
  const Claim* above = wildcard.empty() ? nullptr : holder_then(wildcard);
  if (above != nullptr && (head == nullptr || *above < *head)) return above->ingress.space;
  return head != nullptr ? head->ingress.space : "";
}

std::string Holdings::owner_of(const std::string& host, const std::string& path) const {
  return owner_then(ownership_key(host, path), {});
}

bool Holdings::is_sealed(const std::string& key, const std::string& owner) const {
  const std::string wildcard = key.starts_with('/') ? "" : wildcard_of(key);
  return hosts_.holder(seal_key(owner, key)) != nullptr ||
         (!wildcard.empty() && hosts_.holder(seal_key(owner, wildcard)) != nullptr);
}

bool Holdings::owns(const Claimant& who, const std::string& host, const std::string& path) const {
  const std::string owner = owner_of(host, path);
  return owner == who.name.space ||
         (who.parameters->hosts_across_namespaces && !is_sealed(ownership_key(host, path), owner));
}

const Claim* Holdings::holder_of(const Rule& rule) const { return rest_.holder(route_key(rule)); }

const Claim* Holdings::holder_of_id(const std::string& id) const {
  return rest_.holder(id_key(id));
}

const Claim* Holdings::holder_of_certificate(const std::string& host) const {
  return rest_.holder(certificate_key_of(host));
}

void Holdings::touch_all(const std::string& key, std::set<ObjectName>& touched) const {
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  for (ObjectName& name : hosts_.claimants(key, kAll)) touched.insert(std::move(name));
}

// Only those for whom it makes a difference: below a wildcard there may be all hosts of a cluster.
void Holdings::touch_owned(const std::vector<Claims::Change>& changes,
                           std::set<ObjectName>& touched) const {
  Before before;
  for (const Claims::Change& change : changes) before.emplace(change.key, change.before);
  for (const Claims::Change& change : changes) {
    std::string key = change.key;
    std::string sealed;  // the namespace whose seal came or went
    if (key.front() == kSeal) {
      if (change.before.has_value() == change.after.has_value()) continue;
      const size_t space = key.find(' ');
      sealed = key.substr(1, space - 1);
      key.erase(0, space + 1);
    }
    const auto touch = [&](const std::string& host) {
      const std::string owner = owner_then(host, {});
      if (owner == sealed || owner != owner_then(host, before)) touch_all(host, touched);
    };
    touch(key);
    const auto hosts = below_.find(key);
    if (hosts == below_.end()) continue;
    for (const auto& [host, count] : hosts->second) touch(host);
  }
}

void Holdings::keep_below(const ObjectName& name, Hosts hosts) {
  Hosts& known = exact_[name];
  for (const std::string& host : known) {
    const auto wildcard = below_.find(wildcard_of(host));
    const auto counted = wildcard->second.find(host);
    if (--counted->second == 0) wildcard->second.erase(counted);
    if (wildcard->second.empty()) below_.erase(wildcard);
  }
  for (const std::string& host : hosts) ++below_[wildcard_of(host)][host];
  known = std::move(hosts);
  if (known.empty()) exact_.erase(name);
}

void Holdings::claim_hosts(const Claimant& who, std::set<ObjectName>& touched) {
  Claims::Keys keys;
  Hosts exact;
  const auto claim = [&](const std::string& host, const std::string& path) {
    if (!who.parameters->allows_host(who.name.space, host)) return;
    std::string key = ownership_key(host, path);
    if (!who.parameters->hosts_across_namespaces)
      keys.emplace(seal_key(who.name.space, key), false);
    keys.emplace(std::move(key), false);
    if (!wildcard_of(host).empty()) exact.insert(host);
  };
  std::string created;
  if (who.source != nullptr) {
    created = who.source->meta.created;
    for (const Rule& rule : who.source->rules) claim(rule.host, rule.path);
    for (const TlsEntry& entry : who.source->tls) {
      for (const std::string& host : entry.hosts) claim(host, "/");
    }
  }
  keep_below(who.name, std::move(exact));
  touch_owned(hosts_.set(who.name, created, keys), touched);
}

void Holdings::claim_rest(const Claimant& who, const std::vector<std::string>& ids,
                          std::set<ObjectName>& touched) {
  Claims::Keys keys;
  std::string created;
  if (who.source != nullptr) {
    created = who.source->meta.created;
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
  for (const Claims::Change& change : rest_.set(who.name, created, keys)) {
    if (change.before) touched.insert(change.before->ingress);
    for (ObjectName& name : rest_.claimants(change.key, kToldMax)) touched.insert(std::move(name));
  }
}

}  // namespace kg::ingress
