#include "routing/controller/ingress/compiler.h"

#include <algorithm>
#include <utility>

#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/no_room.h"

namespace kg::ingress {
namespace {

using Verdict = Shares::Verdict;

Amount amount_of(const std::vector<feed::Item>& items) {
  Amount out{items.size(), 0};
  for (const feed::Item& item : items) {
    out.bytes +=
        item.key.size() + item.scope_namespace.size() + item.endpoint.size() + item.payload->size();
  }
  return out;
}

// Names that all namespaces share, as Holdings has them, and each further certificate of one.
size_t hosts_of(const IngressSource& source) {
  std::set<std::string> hosts;
  size_t further = 0;
  for (const TlsEntry& entry : source.tls) {
    for (const std::string& host : entry.hosts)
      if (!hosts.insert(host).second) ++further;
  }
  for (const Rule& rule : source.rules)
    hosts.insert(rule.host.empty() ? first_element(rule.path) : rule.host);
  return hosts.size() + further;
}

}  // namespace

Compiler::Compiler(Settings settings)
    : settings_(std::move(settings)),
      store_(settings_.namespace_kept_bytes_max),
      classes_(settings_, store_),
      host_shares_({{settings_.namespace_hosts_max, 0}, {SIZE_MAX, SIZE_MAX}}),
      shares_(settings_.feed),
      certificates_(store_),
      around_{store_,
              holdings_,
              settings_.assumes_secrets,
              judgements_,
              [this](const ObjectName& secret) -> const CertificateView& {
                return certificates_.view(secret);
              },
              [this](const ObjectName& ingress, const std::string& host) {
                return secret_for(ingress, host);
              }} {}

std::string Compiler::secret_for(const ObjectName& ingress, const std::string& host) const {
  const IngressSource* source = source_of(ingress);
  if (source == nullptr) return "";
  for (const TlsEntry& tls : source->tls) {
    if (std::ranges::find(tls.hosts, host) != tls.hosts.end()) return tls.secret;
  }
  return "";
}

Kept Compiler::put(Kind kind, const Json& object) {
  std::vector<ObjectRef> changed;
  const Kept kept = store_.put(kind, object, changed);
  for (const ObjectRef& ref : changed) touch(ref);
  return kept;
}

void Compiler::erase(const ObjectRef& ref) {
  std::vector<ObjectRef> changed;
  store_.erase(ref, changed);
  for (const ObjectRef& one : changed) touch(one);
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
  if (ref.kind == Kind::kSecret) certificates_.touch(ref.name);
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

void Compiler::resolve(const ObjectName& name) {
  Entry& entry = entries_[name];
  const IngressSource* source = store_.ingress(name);
  if (const auto before = by_class_.find(entry.class_name); before != by_class_.end()) {
    before->second.erase(name);
    if (before->second.empty()) by_class_.erase(before);
  }
  entry.resolved.reset();
  entry.named.reset();
  entry.ids = {};
  if (source == nullptr) return;
  if (entry.memory.uid != source->meta.uid) {
    entry.memory = {source->meta.uid, "", {}};
    certificates_.forget(name);
  }
  if (const auto known = recalled_.find(name); known != recalled_.end())
    ingress::recall(known->second, entry.memory);
  entry.class_name = source->class_name;
  by_class_[entry.class_name].insert(name);
  entry.resolved = classes_.resolve(*source);
  if (!entry.resolved || entry.resolved->parameters == nullptr) return;
  const Parameters& parameters = *entry.resolved->parameters;
  entry.ids = ids_of(*source, parameters, entry.memory.id_base);
  entry.memory.id_base = entry.ids.base;
  const bool has_bare_rule =
      std::ranges::any_of(source->rules, [](const Rule& rule) { return rule.host.empty(); });
  if (!parameters.host_template.empty() && has_bare_rule && !entry.ids.base.empty())
    entry.named = with_host(*source, parameters.host_of(entry.ids.base));
}

const IngressSource* Compiler::source_of(const ObjectName& name) const {
  const auto entry = entries_.find(name);
  const bool is_named = entry != entries_.end() && entry->second.named;
  return is_named ? &*entry->second.named : store_.ingress(name);
}

Claimant Compiler::claimant(const ObjectName& name) const {
  const Entry& entry = entries_.at(name);
  const IngressSource* source = source_of(name);
  if (source == nullptr || !entry.resolved || entry.resolved->parameters == nullptr) return {name};
  return {name, source, entry.resolved->parameters.get()};
}

// Adds those for whom the answer is another one now.
void Compiler::claim(Names& due) {
  Refs moved;
  for (const ObjectName& name : due) {
    resolve(name);
    const Claimant who = claimant(name);
    const bool claims = who.source != nullptr;
    host_shares_.set({Kind::kIngress, name}, claims ? who.source->meta.created : "",
                     {claims ? hosts_of(*who.source) : 0, 0});
  }
  host_shares_.settle(moved);
  for (const ObjectRef& ref : moved) due.insert(ref.name);
  const auto claimant_of = [this](const ObjectName& name) {
    const bool is_in = host_shares_.verdict({Kind::kIngress, name}) == Verdict::kServed;
    return is_in ? claimant(name) : Claimant{name};
  };
  Names touched;
  for (const ObjectName& name : due) holdings_.claim_hosts(claimant_of(name));
  holdings_.settle_hosts(touched);
  due.merge(touched);
  touched.clear();
  for (const ObjectName& name : due)
    holdings_.claim_rest(claimant_of(name), entries_.at(name).ids.of_targets);
  holdings_.settle_rest(touched);
  due.merge(touched);
}

void Compiler::enqueue(const Names& names) {
  for (const ObjectName& name : names) {
    const IngressSource* source = store_.ingress(name);
    turn_.queue.emplace(source == nullptr ? "" : source->meta.created, name);
    turn_.ingresses.insert(name);
  }
}

Changes Compiler::run(size_t ingresses_max) {
  if (std::exchange(classes_due_, false)) refresh_classes(turn_.changes);
  Names due = std::exchange(dirty_, {});
  claim(due);
  recalled_.clear();
  // Who edits without pause holds nobody up: what waits gets less with every slice.
  if (!turn_.queue.empty()) ingresses_max = std::max(ingresses_max, 2 * due.size());
  enqueue(due);
  for (; ingresses_max > 0 && !turn_.queue.empty(); --ingresses_max)
    make(turn_.queue.extract(turn_.queue.begin()).value().second, turn_);
  if (!turn_.queue.empty()) return {{}, {}, {}, 0, /*is_whole=*/false};
  Turn turn = std::exchange(turn_, {});
  while (true) {
    for (const ObjectName& secret : certificates_.take_due()) offer_certificate(secret, turn);
    Refs moved;  // who has a place now that he had not, or had one
    shares_.settle(moved);
    if (moved.empty()) break;
    for (const ObjectRef& ref : moved) {
      if (ref.kind == Kind::kIngress) {
        turn.ingresses.insert(ref.name);
        make(ref.name, turn);
      } else {
        turn.secrets.insert(ref.name);
      }
    }
  }
  publish(turn, turn.changes);
  turn.changes.compiled = turn.ingresses.size();
  return std::move(turn.changes);
}

void Compiler::refresh_classes(Changes& changes) {
  std::set<ObjectRef> gone;
  for (const auto& [ref, findings] : findings_) {
    const bool is_of_class = ref.kind == Kind::kIngressClass || ref.kind == Kind::kConfigMap;
    if (is_of_class) gone.insert(ref);
  }
  for (auto& [ref, findings] : classes_.refresh()) {
    gone.erase(ref);
    report(ref, std::move(findings), changes);
  }
  for (const ObjectRef& ref : gone) report(ref, {}, changes);
}

// What it becomes, if there is room for it.
void Compiler::make(const ObjectName& name, Turn& turn) {
  Entry& entry = entries_[name];
  std::vector<feed::Item> items = compile(name, entry);
  const ObjectRef ref{Kind::kIngress, name};
  const IngressSource* source = store_.ingress(name);
  shares_.set(ref, source == nullptr ? "" : source->meta.created, amount_of(items));
  if (const Verdict verdict = shares_.verdict(ref); verdict != Verdict::kServed) {
    items.clear();
    entry.memory.good.clear();
    for (EndpointView& endpoint : entry.view.endpoints) endpoint.is_published = false;
    entry.view.findings.push_back(no_room(verdict, shares_.bounds()));
  }
  remember(name, entry);
  turn.made.insert_or_assign(name, std::move(items));
}

void Compiler::remember(const ObjectName& name, const Entry& entry) {
  if (auto memory = exceptions_of(entry.memory, entry.ids, entry.view)) {
    exceptions_.insert_or_assign(name, std::move(*memory));
  } else {
    exceptions_.erase(name);
  }
}

void Compiler::recall(const Recollection& recollection) {
  holdings_.recall(recollection);
  if (classes_.recall(recollection.classes)) {
    classes_due_ = true;
    touch_classes();
  }
  recalled_ = recollection.ingresses;
  for (const auto& [name, memory] : recalled_) {
    if (store_.ingress(name) != nullptr) dirty_.insert(name);
  }
}

Recollection Compiler::recollection() const {
  Recollection out;
  holdings_.recollect(out);
  out.ingresses = exceptions_;
  out.classes = classes_.exceptions();
  return out;
}

std::vector<feed::Item> Compiler::compile(const ObjectName& name, Entry& entry) {
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
  } else if (host_shares_.verdict({Kind::kIngress, name}) != Verdict::kServed) {
    made.view.class_name = entry.resolved->name;
    made.view.is_observed = entry.resolved->is_observed;
    made.view.findings.push_back(no_room_for_hosts(settings_.namespace_hosts_max));
  } else {
    made = evaluate(*source, *entry.resolved, entry.ids, around_, entry.memory);
  }
  certificates_.want(name, made.view.certificates);
  set_needs(name, entry, std::move(made.needs));
  entry.view = std::move(made.view);
  return std::move(made.items);
}

void Compiler::offer_certificate(const ObjectName& secret, Turn& turn) {
  turn.secrets.insert(secret);
  std::vector<feed::Item> items;
  size_t left_out = 0;
  if (auto item = certificates_.item(secret, left_out)) items.push_back(std::move(*item));
  const SecretSource* source = store_.secret(secret);
  shares_.set({Kind::kSecret, secret}, source == nullptr ? "" : source->meta.created,
              amount_of(items));
}

void Compiler::publish(Turn& turn, Changes& changes) {
  for (auto& [name, items] : turn.made)
    publication_.stage({Kind::kIngress, name}, std::move(items));
  for (const ObjectName& secret : turn.secrets) publish_certificate(secret, changes);
  Publication::Difference difference = publication_.finish();
  changes.items = std::move(difference.items);
  changes.removed = std::move(difference.removed);
  for (const ObjectName& name : turn.ingresses) {
    report({Kind::kIngress, name}, entries_[name].view.findings, changes);
    if (store_.ingress(name) == nullptr) entries_.erase(name);
  }
}

void Compiler::publish_certificate(const ObjectName& secret, Changes& changes) {
  const ObjectRef ref{Kind::kSecret, secret};
  size_t left_out = 0;
  auto item = certificates_.item(secret, left_out);
  const Verdict verdict = shares_.verdict(ref);
  Findings findings;
  if (left_out > 0) {
    findings.error("TooManyHosts", "Ingresses name it for more than " +
                                       std::to_string(kCertificateHostsMax) + " hosts, and " +
                                       std::to_string(left_out) +
                                       " go without it: name a wildcard in their spec.tls");
  }
  if (verdict != Verdict::kServed) findings.add(no_room(verdict, shares_.bounds()));
  std::vector<feed::Item> items;
  if (item && verdict == Verdict::kServed) items.push_back(std::move(*item));
  publication_.stage(ref, std::move(items));
  report(ref, findings.all(), changes);
}

void Compiler::set_needs(const ObjectName& name, Entry& entry, Refs needs) {
  for (const ObjectRef& ref : entry.needs) {
    if (needs.contains(ref)) continue;
    const auto users = needed_by_.find(ref);
    users->second.erase(name);
    if (users->second.empty()) needed_by_.erase(users);
  }
  for (const ObjectRef& ref : needs) needed_by_[ref].insert(name);
  entry.needs = std::move(needs);
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
