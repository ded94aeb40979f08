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

std::string Holdings::owner_with(const std::string& key, const std::optional<Claim>& head) const {
  const std::string wildcard = key.starts_with('/') ? "" : wildcard_of(key);
  const Claim* above = wildcard.empty() ? nullptr : hosts_.holder(wildcard);
  if (above != nullptr && (!head || *above < *head)) return above->ingress.space;
  return head ? head->ingress.space : "";
}

std::string Holdings::owner_of(const std::string& host, const std::string& path) const {
  const std::string key = ownership_key(host, path);
  const Claim* head = hosts_.holder(key);
  return owner_with(key, head == nullptr ? std::nullopt : std::optional(*head));
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

void Holdings::touch_owned(const Claims::Change& change, std::set<ObjectName>& touched) const {
  std::string key = change.key;
  if (key.front() == kSeal) {
    if (change.before.has_value() == change.after.has_value()) return;
    key.erase(0, key.find(' ') + 1);
    touch_all(key, touched);
  } else if (owner_with(key, change.before) != owner_with(key, change.after)) {
    touch_all(key, touched);
  }
  if (const auto watching = watchers_.find(key); watching != watchers_.end())
    touched.insert(watching->second.begin(), watching->second.end());
}

void Holdings::claim_hosts(const Claimant& who, std::set<ObjectName>& touched) {
  Claims::Keys keys;
  std::set<std::string> above;
  const auto claim = [&](const std::string& host, const std::string& path) {
    if (!who.parameters->allows_host(who.name.space, host)) return;
    std::string key = ownership_key(host, path);
    if (!who.parameters->hosts_across_namespaces)
      keys.emplace(seal_key(who.name.space, key), false);
    keys.emplace(std::move(key), false);
    if (std::string wildcard = wildcard_of(host); !wildcard.empty())
      above.insert(std::move(wildcard));
  };
  std::string created;
  if (who.source != nullptr) {
    created = who.source->meta.created;
    for (const Rule& rule : who.source->rules) claim(rule.host, rule.path);
    for (const TlsEntry& entry : who.source->tls) {
      for (const std::string& host : entry.hosts) claim(host, "/");
    }
  }
  std::set<std::string>& watched = watched_[who.name];
  for (const std::string& wildcard : watched) {
    const auto watching = watchers_.find(wildcard);
    watching->second.erase(who.name);
    if (watching->second.empty()) watchers_.erase(watching);
  }
  for (const std::string& wildcard : above) watchers_[wildcard].insert(who.name);
  watched = std::move(above);
  if (watched.empty()) watched_.erase(who.name);
  for (const Claims::Change& change : hosts_.set(who.name, created, keys))
    touch_owned(change, touched);
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
