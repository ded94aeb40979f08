#include "routing/controller/ingress/compiler.h"

#include <algorithm>
#include <utility>

namespace kg::ingress {

Compiler::Compiler(Settings settings)
    : settings_(std::move(settings)),
      classes_(settings_, store_),
      around_{store_, holdings_, settings_.assumes_secrets,
              [this](const ObjectName& secret) -> const CertificateView& {
                return certificate(secret);
              },
              [this](const ObjectName& ingress, const std::string& host) -> std::string {
                const IngressSource* source = source_of(ingress);
                if (source == nullptr) return "";
                for (const TlsEntry& tls : source->tls) {
                  if (std::ranges::find(tls.hosts, host) != tls.hosts.end()) return tls.secret;
                }
                return "";
              }} {}

void Compiler::put(Kind kind, const Json& object) {
  for (const ObjectRef& ref : store_.put(kind, object)) touch(ref);
}

void Compiler::erase(const ObjectRef& ref) {
  for (const ObjectRef& changed : store_.erase(ref)) touch(changed);
}

void Compiler::touch(const ObjectRef& ref) {
  if (ref.kind == Kind::kIngress) {
    dirty_.insert(ref.name);
    return;
  }
  if (ref.kind == Kind::kIngressClass) classes_due_ = true;
  if (ref.kind == Kind::kIngressClass) touch_class(ref.name.name);
  if (ref.kind == Kind::kConfigMap && classes_.uses(ref.name)) {
    classes_due_ = true;
    touch_classes();
  }
  if (ref.kind == Kind::kSecret) {
    const auto state = certificates_.find(ref.name);
    if (state != certificates_.end()) {
      state->second.present.reset();
      certificates_due_.insert(ref.name);
    }
  }
  const auto users = needed_by_.find(ref);
  if (users != needed_by_.end()) dirty_.insert(users->second.begin(), users->second.end());
}

// Those without a class may have this one by default.
void Compiler::touch_class(const std::string& name) {
  for (const std::string& one : {name, std::string()}) {
    const auto users = by_class_.find(one);
    if (users != by_class_.end()) dirty_.insert(users->second.begin(), users->second.end());
  }
}

void Compiler::touch_classes() {
  for (const auto& [name, users] : by_class_) dirty_.insert(users.begin(), users.end());
}

Claimant Compiler::resolve(const ObjectName& name) {
  Entry& entry = entries_[name];
  const IngressSource* source = store_.ingress(name);
  if (const auto before = by_class_.find(entry.class_name); before != by_class_.end()) {
    before->second.erase(name);
    if (before->second.empty()) by_class_.erase(before);
  }
  entry.resolved.reset();
  entry.named.reset();
  if (source == nullptr) return {name};
  entry.class_name = source->class_name;
  by_class_[entry.class_name].insert(name);
  entry.resolved = classes_.resolve(*source);
  if (!entry.resolved || entry.resolved->parameters == nullptr) return {name};
  const Parameters& parameters = *entry.resolved->parameters;
  entry.ids = ids_of(*source, parameters, entry.memory.id_base);
  const bool has_bare_rule =
      std::ranges::any_of(source->rules, [](const Rule& rule) { return rule.host.empty(); });
  if (!parameters.host_template.empty() && has_bare_rule && !entry.ids.base.empty()) {
    entry.named = *source;
    for (Rule& rule : entry.named->rules) {
      if (rule.host.empty()) rule.host = parameters.host_of(entry.ids.base);
    }
    source = &*entry.named;
  }
  return {name, source, &parameters};
}

const IngressSource* Compiler::source_of(const ObjectName& name) const {
  const auto entry = entries_.find(name);
  const bool is_named = entry != entries_.end() && entry->second.named;
  return is_named ? &*entry->second.named : store_.ingress(name);
}

Changes Compiler::run() {
  Changes changes;
  if (std::exchange(classes_due_, false)) refresh_classes(changes);
  std::set<ObjectName> due = std::move(dirty_);
  dirty_.clear();
  std::set<ObjectName> touched;
  for (const ObjectName& name : due) holdings_.claim_hosts(resolve(name), touched);
  due.merge(touched);
  touched.clear();
  for (const ObjectName& name : due) {
    const Claimant who = resolve(name);
    Entry& entry = entries_[name];
    if (who.source == nullptr) entry.ids = {};
    entry.memory.id_base = entry.ids.base;
    holdings_.claim_rest(who, entry.ids.of_targets, touched);
  }
  due.merge(touched);
  Outdated outdated;
  std::map<ObjectName, std::vector<Published>> made;
  for (const ObjectName& name : due) compile(name, made[name]);
  for (const ObjectName& name : due) withdraw(name, entries_[name], made[name], outdated);
  for (auto& [name, items] : made) {
    for (Published& item : items) {
      publish(name,
              {std::move(item.key), name.space, std::move(item.id),
               std::make_shared<const std::string>(std::move(item.payload))},
              outdated, changes);
    }
  }
  publish_certificates(outdated, changes);
  for (const auto& [key, gone] : outdated) changes.removed.push_back(key);
  for (const ObjectName& name : due) {
    report({Kind::kIngress, name}, entries_[name].view.findings, changes);
    forget(name);
  }
  changes.compiled = due.size();
  return changes;
}

void Compiler::refresh_classes(Changes& changes) {
  std::set<ObjectRef> gone;
  for (const auto& [ref, findings] : findings_) {
    if (ref.kind != Kind::kIngress) gone.insert(ref);
  }
  for (auto& [ref, findings] : classes_.refresh()) {
    gone.erase(ref);
    report(ref, std::move(findings), changes);
  }
  for (const ObjectRef& ref : gone) report(ref, {}, changes);
}

void Compiler::compile(const ObjectName& name, std::vector<Published>& items) {
  Entry& entry = entries_[name];
  const IngressSource* source = source_of(name);
  Evaluated made;
  if (source == nullptr || !entry.resolved) {
    entry.memory = {};  // whoever comes back later is judged as new
  } else if (entry.resolved->parameters == nullptr) {
    made.view.class_name = entry.resolved->name;
    made.view.is_observed = entry.resolved->is_observed;
    made.view.findings.push_back(
        {Severity::kError, "ClassUnusable",
         "IngressClass " + quote(entry.resolved->name) +
             ": its parameters cannot be had, so what it allows is not known: mend them"});
  } else {
    made = evaluate(*source, *entry.resolved, entry.ids, around_, entry.memory);
  }
  set_certificates(name, entry, made.view.certificates);
  set_needs(name, entry, std::move(made.needs));
  entry.view = std::move(made.view);
  items = std::move(made.items);
}

void Compiler::set_needs(const ObjectName& name, Entry& entry, std::set<ObjectRef> needs) {
  for (const ObjectRef& ref : entry.needs) {
    if (needs.contains(ref)) continue;
    const auto users = needed_by_.find(ref);
    users->second.erase(name);
    if (users->second.empty()) needed_by_.erase(users);
  }
  for (const ObjectRef& ref : needs) needed_by_[ref].insert(name);
  entry.needs = std::move(needs);
}

void Compiler::set_certificates(const ObjectName& name, Entry& entry,
                                const std::vector<CertificateHosts>& wanted) {
  std::map<std::string, std::vector<std::string>> by_secret;
  for (const CertificateHosts& certificate : wanted) {
    std::vector<std::string>& hosts = by_secret[certificate.secret];
    hosts.insert(hosts.end(), certificate.hosts.begin(), certificate.hosts.end());
  }
  for (const CertificateHosts& before : entry.view.certificates) {
    if (by_secret.contains(before.secret)) continue;
    const ObjectName secret{name.space, before.secret};
    if (certificates_[secret].hosts.erase(name) > 0) certificates_due_.insert(secret);
  }
  for (auto& [named, hosts] : by_secret) {
    const ObjectName secret{name.space, named};
    std::vector<std::string>& known = certificates_[secret].hosts[name];
    if (known == hosts) continue;
    known = std::move(hosts);
    certificates_due_.insert(secret);
  }
}

const CertificateView& Compiler::certificate(const ObjectName& secret) {
  CertificateState& state = certificates_[secret];
  if (!state.present) {
    state.present = read_certificate(store_.secret(secret));
    if (state.present->is_usable()) state.good = *state.present;
    certificates_due_.insert(secret);
  }
  return *state.present;
}

void Compiler::report(const ObjectRef& ref, std::vector<Finding> findings, Changes& changes) {
  const auto known = findings_.find(ref);
  if (known == findings_.end() ? findings.empty() : known->second == findings) return;
  if (findings.empty()) {
    findings_.erase(known);
  } else {
    findings_.insert_or_assign(ref, std::move(findings));
  }
  changes.judged.push_back(ref);
}

void Compiler::withdraw(const ObjectName& name, Entry& entry, const std::vector<Published>& items,
                        Outdated& outdated) {
  for (const std::string& key : entry.keys) {
    if (std::ranges::find(items, key, &Published::key) != items.end()) continue;
    const auto found = current_.find(key);
    if (found == current_.end() || found->second.owner != name) continue;
    outdated.insert(current_.extract(found));
  }
  entry.keys.clear();
  for (const Published& item : items) entry.keys.push_back(item.key);
}

// A key that goes from one Ingress to another is an update, and none where the payload is the same.
void Compiler::publish(const ObjectName& owner, feed::Item item, Outdated& outdated,
                       Changes& changes) {
  if (const auto moved = outdated.find(item.key); moved != outdated.end())
    current_.insert(outdated.extract(moved));
  const auto [place, is_new] = current_.try_emplace(item.key, Current{item, owner});
  Current& current = place->second;
  current.owner = owner;
  if (!is_new && *current.item.payload == *item.payload) return;
  current.item = item;
  changes.items.push_back(std::move(item));
}

void Compiler::publish_certificates(Outdated& outdated, Changes& changes) {
  for (const ObjectName& secret : std::exchange(certificates_due_, {})) {
    CertificateState& state = certificates_[secret];
    const std::string key = certificate_key(secret);
    std::set<std::string> hosts;
    for (const auto& [ingress, named] : state.hosts) hosts.insert(named.begin(), named.end());
    if (!hosts.empty()) certificate(secret);
    if (!hosts.empty() && !state.good.chain.empty()) {
      publish(secret,
              {key, secret.space, "",
               std::make_shared<const std::string>(
                   payload_of(secret, {hosts.begin(), hosts.end()}, state.good))},
              outdated, changes);
    } else if (const auto found = current_.find(key); found != current_.end()) {
      outdated.insert(current_.extract(found));
    }
    if (state.hosts.empty()) certificates_.erase(secret);
  }
  certificates_due_.clear();
}

void Compiler::forget(const ObjectName& name) {
  if (store_.ingress(name) == nullptr) entries_.erase(name);
}

std::vector<feed::Item> Compiler::items() const {
  std::vector<feed::Item> out;
  out.reserve(current_.size());
  for (const auto& [key, current] : current_) out.push_back(current.item);
  return out;
}

const feed::Item* Compiler::item(const std::string& key) const {
  const auto found = current_.find(key);
  return found == current_.end() ? nullptr : &found->second.item;
}

const std::vector<Finding>& Compiler::findings(const ObjectRef& ref) const {
  static const std::vector<Finding> none;
  const auto found = findings_.find(ref);
  return found == findings_.end() ? none : found->second;
}

const IngressView* Compiler::view(const ObjectName& ingress) const {
  const auto found = entries_.find(ingress);
  return found == entries_.end() || !found->second.resolved ? nullptr : &found->second.view;
}

std::vector<ObjectName> Compiler::ours() const {
  std::vector<ObjectName> out;
  for (const auto& [name, entry] : entries_) {
    if (entry.resolved) out.push_back(name);
  }
  return out;
}

std::vector<ObjectRef> Compiler::judged() const {
  std::vector<ObjectRef> out;
  for (const auto& [ref, findings] : findings_) out.push_back(ref);
  return out;
}

}  // namespace kg::ingress
