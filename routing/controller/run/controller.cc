#include "routing/controller/run/controller.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/base/log_fields.h"

namespace kg::controller {
namespace {

using ingress::Kind;

struct Watched {
  Kind kind;
  kube::Resource resource;
  bool of_cluster = false;          // has no namespace
  const char* field_selector = "";  // what nobody here reads stays where it is
};

// Of types that no Ingress may name, and many or large.
constexpr const char* kUsefulSecrets =
    "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token,"
    "type!=kubernetes.io/dockerconfigjson,type!=bootstrap.kubernetes.io/token";
constexpr const char* kUsefulMaps = "metadata.name!=kube-root-ca.crt";  // one in each namespace

std::vector<Watched> watched() {
  return {
      {Kind::kIngressClass, {"networking.k8s.io", "v1", "ingressclasses", "IngressClass"}, true},
      {Kind::kIngress, {"networking.k8s.io", "v1", "ingresses", "Ingress"}},
      {Kind::kService, {"", "v1", "services", "Service"}},
      {Kind::kEndpointSlice, {"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"}},
      {Kind::kSecret, {"", "v1", "secrets", "Secret"}, false, kUsefulSecrets},
      {Kind::kConfigMap, {"", "v1", "configmaps", "ConfigMap"}, false, kUsefulMaps}};
}

const char* word_of(ingress::Severity severity) {
  switch (severity) {
    case ingress::Severity::kError:
      return "error";
    case ingress::Severity::kWarning:
      return "warning";
    case ingress::Severity::kNote:
      break;
  }
  return "note";
}

}  // namespace

class Controller::Source final : public kube::Handler {
 public:
  Source(Controller& owner, const Watched& what, std::string namespace_name)
      : owner_(owner),
        kind_(what.kind),
        reflector_(
            owner.loop_, owner.client_,
            kube::Selection{what.resource, std::move(namespace_name), "", what.field_selector},
            *this) {}

  void start() { reflector_.start(); }
  Kind kind() const noexcept { return kind_; }
  const kube::Reflector& reflector() const noexcept { return reflector_; }

 private:
  void on_upsert(const nlohmann::json& object) override {
    owner_.compiler_.put(kind_, object);
    if (kind_ == Kind::kIngress) owner_.status_.saw(object);
    if (kind_ == Kind::kIngressClass) owner_.status_.look_at_all();
    owner_.loop_.schedule_flush(owner_);
  }
  void on_remove(const std::string& namespace_name, const std::string& name) override {
    owner_.compiler_.erase({kind_, {namespace_name, name}});
    if (kind_ == Kind::kIngress) owner_.status_.gone({namespace_name, name});
    owner_.loop_.schedule_flush(owner_);
  }
  void on_synced() override {
    --owner_.unsynced_;
    owner_.loop_.schedule_flush(owner_);
  }

  Controller& owner_;
  const Kind kind_;
  kube::Reflector reflector_;
};

Controller::Controller(event::EventLoop& loop, kube::Client& client, Options options)
    : loop_(loop),
      client_(client),
      options_(std::move(options)),
      compiler_(options_.settings),
      publisher_(loop, *this, options_.feed),
      election_(loop, client, options_.election, [this](uint64_t term) { on_leading(term); }),
      revocations_(loop, client, options_.election.namespace_name,
                   [this] {
                     revocations_changed_ = true;
                     loop_.schedule_flush(*this);
                   }),
      events_(loop, client, {options_.settings.controller, options_.election.identity},
              {[this](const ingress::ObjectRef& ref) -> const std::vector<ingress::Finding>& {
                 return findings(ref);
               },
               [this](const ingress::ObjectRef& ref) { return uid_of(ref); }}),
      status_(
          loop, client, options_.status,
          [this](const ingress::ObjectName& name) { return is_ours(name); },
          [this] { loop_.schedule_flush(*this); }) {
  std::vector<std::string> namespaces = options_.namespaces;
  if (namespaces.empty()) namespaces.emplace_back();
  for (const Watched& what : watched()) {
    for (const std::string& name : namespaces) {
      sources_.push_back(std::make_unique<Source>(*this, what, what.of_cluster ? "" : name));
      if (what.of_cluster) break;
    }
  }
  unsynced_ = sources_.size();
}

Controller::~Controller() = default;

std::string Controller::start() {
  std::string problem = publisher_.start();
  if (!problem.empty()) return problem;
  for (const auto& source : sources_) source->start();
  revocations_.start();
  status_.start();
  election_.start();
  return "";
}

void Controller::on_leading(uint64_t term) {
  publishes_ = false;
  writes_ = false;
  events_.set_leading(false);
  status_.set_leading(false);
  revocations_.set_leading(term != 0);
  loop_.schedule_flush(*this);
}

void Controller::run_task() {
  if (!synced()) return;
  ingress::Changes changes = compile();
  gate_.pass(changes.items, changes.removed);
  note_refusals(changes.judged);
  if (election_.leads() && !std::exchange(writes_, true)) begin_writing();
  tell(changes.judged);
  status_.look();
  election_.stand();
  if (!election_.leads()) return;
  if (!publishes_ || version_.term != election_.term()) return publish_all();
  if (std::exchange(revocations_changed_, false)) add_revocations(changes);
  if (!changes.items.empty() || !changes.removed.empty()) publish(std::move(changes));
}

std::vector<feed::Item> Controller::revocation_items() const {
  const auto now = static_cast<int64_t>(event::wall_us() / 1'000'000);
  return routing::revocation_items(revocations_.entries(now));
}

// The lists that are others now.
void Controller::add_revocations(ingress::Changes& changes) {
  std::map<std::string, std::string> before = std::move(published_revocations_);
  published_revocations_.clear();
  for (feed::Item& item : revocation_items()) {
    const auto old = before.find(item.key);
    published_revocations_[item.key] = *item.payload;
    const bool same = old != before.end() && old->second == *item.payload;
    if (old != before.end()) before.erase(old);
    if (!same) changes.items.push_back(std::move(item));
  }
  for (const auto& [key, payload] : before) changes.removed.push_back(key);
}

// Within its sender's scope, which the publisher has judged.
void Controller::on_fact(const feed::Fact& fact) {
  if (const auto notice = routing::RevocationNotice::of(fact)) revocations_.hear(*notice);
}

void Controller::publish_all() {
  std::vector<std::shared_ptr<const feed::Item>> items;
  std::vector<feed::Item> all = gate_.items();
  items.reserve(all.size() + 1);
  for (feed::Item& item : all) {
    items.push_back(std::make_shared<const feed::Item>(std::move(item)));
  }
  published_revocations_.clear();
  for (feed::Item& item : revocation_items()) {
    published_revocations_[item.key] = *item.payload;
    items.push_back(std::make_shared<const feed::Item>(std::move(item)));
  }
  revocations_changed_ = false;
  const size_t count = items.size();
  version_ = {election_.term(), version_.term == election_.term() ? version_.sequence + 1 : 1};
  const std::string problem = publisher_.publish_all(version_, std::move(items));
  publishes_ = problem.empty();
  if (publishes_) {
    log::info("feed", "published all items={} version={}.{}", count, version_.term,
              version_.sequence);
  } else {
    log::error("feed", "nothing is published: {}", problem);
  }
}

// What the gate holds back is a finding of the object that it comes from, beside those of its
// compilation. `judged` gets those with other findings than before.
void Controller::note_refusals(std::vector<ingress::ObjectRef>& judged) {
  std::map<ingress::ObjectRef, std::vector<ingress::Finding>> now;
  for (const auto& [key, problem] : gate_.refused()) {
    const ingress::ObjectRef* owner = compiler_.owner_of(key);
    if (owner == nullptr) continue;
    const auto [entry, is_new] = now.try_emplace(*owner);
    if (is_new) entry->second = compiler_.findings(*owner);
    entry->second.push_back(
        {ingress::Severity::kError, "NotUsable",
         fmt::format("{}: {}: the last good version serves on, if there is one", key, problem)});
  }
  const auto before = std::exchange(refused_, std::move(now));
  for (const auto& [ref, findings] : refused_) {
    const auto known = before.find(ref);
    if (known == before.end() || known->second != findings) judged.push_back(ref);
  }
  for (const auto& [ref, findings] : before) {
    if (!refused_.contains(ref)) judged.push_back(ref);
  }
  std::sort(judged.begin(), judged.end());
  judged.erase(std::unique(judged.begin(), judged.end()), judged.end());
}

std::set<ingress::ObjectRef> Controller::judged() const {
  const std::vector<ingress::ObjectRef> compiled = compiler_.judged();
  std::set<ingress::ObjectRef> out(compiled.begin(), compiled.end());
  for (const auto& [ref, findings] : refused_) out.insert(ref);
  return out;
}

const std::vector<ingress::Finding>& Controller::findings(const ingress::ObjectRef& ref) const {
  const auto refused = refused_.find(ref);
  return refused == refused_.end() ? compiler_.findings(ref) : refused->second;
}

void Controller::publish(ingress::Changes changes) {
  std::vector<feed::Change> list;
  for (feed::Item& item : changes.items) {
    list.push_back({std::make_shared<const feed::Item>(std::move(item)), ""});
  }
  for (std::string& key : changes.removed) list.push_back({nullptr, std::move(key)});
  ++version_.sequence;
  const std::string problem = publisher_.publish(version_, std::move(list));
  if (problem.empty()) return;
  log::error("feed", "a change is not published, all will be: {}", problem);
  publish_all();
}

ingress::Changes Controller::compile() {
  const uint64_t began_us = event::monotonic_us();
  ingress::Changes changes = compiler_.run();
  if (changes.compiled > 0) compile_.observe_us(event::monotonic_us() - began_us);
  compiled_ += changes.compiled;
  return changes;
}

void Controller::tell(const std::vector<ingress::ObjectRef>& judged) {
  for (const ingress::ObjectRef& ref : judged) {
    for (const ingress::Finding& finding : findings(ref)) {
      log::write(log::Level::kWarn, "ingress", finding.message,
                 {{"object", ref.text()},
                  {"severity", word_of(finding.severity)},
                  {"reason", finding.reason}});
    }
    events_.judged(ref);
  }
}

// Not before everything is listed: what is ours is not known until then.
void Controller::begin_writing() {
  events_.set_leading(true);
  status_.set_leading(true);
  for (const ingress::ObjectRef& ref : judged()) events_.judged(ref);
}

bool Controller::is_ours(const ingress::ObjectName& ingress) const {
  const ingress::IngressView* view = compiler_.view(ingress);
  return view != nullptr && !view->is_observed;
}

std::string Controller::uid_of(const ingress::ObjectRef& ref) const {
  if (ref.kind == Kind::kIngress && !is_ours(ref.name)) return "";
  const std::string& observed = options_.settings.observed.class_name;
  if (ref.kind == Kind::kIngressClass && ref.name.name == observed) return "";
  for (const auto& source : sources_) {
    if (source->kind() != ref.kind) continue;
    const auto* kept = source->reflector().store().find({ref.name.space, ref.name.name});
    if (kept != nullptr) return kept->uid;
  }
  return "";
}

ControllerFacts Controller::facts() const {
  ControllerFacts facts;
  facts.leads = election_.leads();
  facts.synced = synced();
  add_lists(facts);
  add_judgements(facts);
  facts.compile = &compile_;
  facts.compiled = compiled_;
  facts.version = publisher_.version();
  facts.items = publisher_.history().items();
  facts.item_bytes = publisher_.history().bytes();
  facts.feed = publisher_.counts();
  for (const feed::Publisher::Proxy& proxy : publisher_.proxies()) {
    const bool is_current = proxy.acknowledged == facts.version;
    ++(!proxy.follows ? facts.proxies_resting
                      : (is_current ? facts.proxies_current : facts.proxies_behind));
  }
  facts.writes = {{"event", events_.counts(), events_.waiting()},
                  {"status", status_.counts(), status_.waiting()}};
  facts.writes.front().counts.dropped += events_.forgotten();
  return facts;
}

void Controller::add_lists(ControllerFacts& facts) const {
  const uint64_t now_us = event::monotonic_us();
  for (const auto& source : sources_) {
    const std::string_view kind = ingress::name_of(source->kind());
    if (facts.kinds.empty() || facts.kinds.back().kind != kind) facts.kinds.push_back({kind});
    KindFact& fact = facts.kinds.back();
    const kube::Reflector& reflector = source->reflector();
    const uint64_t heard_us = reflector.heard_us();
    fact.objects += reflector.store().objects().size();
    fact.lag_us = std::max(fact.lag_us, reflector.lag_us());
    if (heard_us != 0 && heard_us < now_us)
      fact.quiet_us = std::max(fact.quiet_us, now_us - heard_us);
    fact.lists += reflector.counts().lists;
    fact.errors += reflector.counts().list_errors + reflector.counts().watch_errors;
  }
}

void Controller::add_judgements(ControllerFacts& facts) const {
  for (const ingress::ObjectName& name : compiler_.ours()) {
    const ingress::IngressView& view = *compiler_.view(name);
    ++(view.is_observed ? facts.ingresses_observed : facts.ingresses_ours);
    for (const ingress::EndpointView& endpoint : view.endpoints) {
      facts.endpoints_published += endpoint.is_published ? 1 : 0;
      facts.endpoints_last_good += endpoint.is_published && endpoint.is_last_good ? 1 : 0;
    }
  }
  for (const ingress::ObjectRef& ref : judged()) {
    for (const ingress::Finding& finding : findings(ref))
      ++facts.findings[{word_of(finding.severity), finding.reason}];
  }
}

void Controller::on_refused(std::string_view proxy, feed::Version version,
                            std::string_view reason) {
  log::error("feed", "a proxy refuses what was published proxy={} version={}.{} why={}", proxy,
             version.term, version.sequence, reason);
}

}  // namespace kg::controller
