#include "routing/controller/run/controller.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/base/log_fields.h"

namespace kg::controller {
namespace {

using ingress::Kind;

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

Controller::Controller(event::EventLoop& loop, kube::Client& client, Options options)
    : loop_(loop),
      options_(std::move(options)),
      compiler_(options_.settings),
      publisher_(loop, *this, options_.feed),
      election_(loop, client, options_.election, [this](uint64_t term) { on_leading(term); }),
      revocations_(loop, client, options_.election.namespace_name,
                   [this] {
                     revocations_changed_ = true;
                     loop_.schedule_flush(*this);
                   }),
      memory_(
          loop, client, options_.election.namespace_name,
          [this] { return compiler_.recollection(); },
          [this] {
            // The leader's own word is the newer one.
            if (!election_.leads()) recalls_ = true;
            loop_.schedule_flush(*this);
          }),
      events_(loop, client, {options_.settings.controller, options_.election.identity},
              {[this](const ingress::ObjectRef& ref) -> const std::vector<ingress::Finding>& {
                 return findings(ref);
               },
               [this](const ingress::ObjectRef& ref) { return uid_of(ref); }}),
      status_(
          loop, client, options_.status,
          [this](const ingress::ObjectName& name) { return belonging(name); },
          [this] { loop_.schedule_flush(*this); }),
      sources_(loop, client,
               {options_.namespaces, options_.settings.controller,
                options_.settings.observed.parameters},
               *this),
      again_(loop, [this] { offer_again(); }),
      next_slice_(loop, [this] { loop_.schedule_flush(*this); }) {}

Controller::~Controller() = default;

std::string Controller::start() {
  std::string problem = publisher_.start();
  if (!problem.empty()) return problem;
  sources_.start();
  revocations_.start();
  memory_.start();
  status_.start();
  election_.start();
  return "";
}

bool Controller::on_object(Kind kind, const nlohmann::json& object) {
  const ingress::Kept kept = compiler_.put(kind, object);
  if (kept == ingress::Kept::kNoRoom) note_full(kind, object);
  if (kind == Kind::kIngress && kept == ingress::Kept::kYes) status_.saw(object);
  if (kind == Kind::kIngress && kept != ingress::Kept::kYes) forget_status(object);
  if (kind == Kind::kIngressClass) status_.look_at_all();
  loop_.schedule_flush(*this);
  return kept == ingress::Kept::kYes;
}

void Controller::on_gone(const ingress::ObjectRef& ref) {
  compiler_.erase(ref);
  if (ref.kind == Kind::kIngress) status_.gone(ref.name);
  loop_.schedule_flush(*this);
}

void Controller::on_synced() { loop_.schedule_flush(*this); }

void Controller::forget_status(const nlohmann::json& object) {
  if (const auto meta = ingress::metadata(object)) status_.gone(meta->name);
}

// Once of each, until there is room again.
void Controller::note_full(Kind kind, const nlohmann::json& object) {
  const auto meta = ingress::metadata(object);
  if (told_full_.empty()) again_.arm_ms(kOfferAgainMs);
  if (!meta || !told_full_[kind].insert(meta->name.space).second) return;
  log::error("kube",
             "namespace {} has more than {} MiB of kind {}: what is beyond is left out, as if it "
             "were not there, and other namespaces lose nothing: delete what is not needed",
             meta->name.space, options_.settings.namespace_kept_bytes_max >> 20,
             ingress::name_of(kind));
}

void Controller::offer_again() {
  std::erase_if(told_full_, [this](const auto& entry) {
    if (!compiler_.open_again(entry.first)) return false;
    sources_.relist(entry.first);
    return true;
  });
  if (!told_full_.empty()) again_.arm_ms(kOfferAgainMs);
}

void Controller::on_leading(uint64_t term) {
  publishes_ = false;
  writes_ = false;
  events_.set_leading(false);
  status_.set_leading(false);
  revocations_.set_leading(term != 0);
  memory_.set_leading(term != 0);
  // Once more: it may have named objects that were not known yet.
  recalls_ = recalls_ || term != 0;
  loop_.schedule_flush(*this);
}

void Controller::run_task() {
  if (!synced()) return;
  if (std::exchange(recalls_, false)) compiler_.recall(memory_.recollection());
  ingress::Changes changes;
  if (take(changes)) return settle(std::move(changes));
  next_slice_.arm_ms(0);
  // What is revoked does not wait for what is compiled.
  if (!publishes_ || version_.term != election_.term() || !revocations_changed_) return;
  revocations_changed_ = false;
  add_revocations(changes);
  if (!changes.items.empty() || !changes.removed.empty()) publish(std::move(changes));
}

// Whether all that is due is compiled and tried; else a slice of it was.
bool Controller::take(ingress::Changes& changes) {
  if (!in_hand_) {
    ingress::Changes made = compile();
    if (made.is_whole) in_hand_ = std::move(made);
  }
  if (!in_hand_ || !gate_.try_items(in_hand_->items, kTurnIngresses)) {
    in_slices_ = true;
    return false;
  }
  changes = std::move(*in_hand_);
  in_hand_.reset();
  // What came meanwhile may not have been looked at.
  if (std::exchange(in_slices_, false)) next_slice_.arm_ms(0);
  return true;
}

void Controller::settle(ingress::Changes changes) {
  gate_.pass(changes.items, changes.removed);
  note_refusals(changes.judged);
  if (election_.leads() && !std::exchange(writes_, true)) begin_writing();
  tell(changes.judged);
  status_.look();
  election_.stand();
  if (!election_.leads()) return;
  memory_.look();
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
  ingress::Changes changes = compiler_.run(kTurnIngresses);
  compiling_us_ += event::monotonic_us() - began_us;
  if (!changes.is_whole) return changes;
  const uint64_t took_us = std::exchange(compiling_us_, 0);
  if (changes.compiled > 0) compile_.observe_us(took_us);
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

Belonging Controller::belonging(const ingress::ObjectName& ingress) const {
  const ingress::IngressView* view = compiler_.view(ingress);
  if (view == nullptr) return Belonging::kOthers;
  return view->is_observed ? Belonging::kObserved : Belonging::kOurs;
}

std::string Controller::uid_of(const ingress::ObjectRef& ref) const {
  if (ref.kind == Kind::kIngress && belonging(ref.name) != Belonging::kOurs) return "";
  const std::string& observed = options_.settings.observed.class_name;
  if (ref.kind == Kind::kIngressClass && ref.name.name == observed) return "";
  return sources_.uid_of(ref);
}

std::vector<ListProblem> Controller::waiting() const {
  std::vector<ListProblem> out = sources_.waiting();
  if (!revocations_.synced() && !revocations_.problem().empty()) {
    out.push_back({std::string("secret ") + kRevocationsSecret, options_.election.namespace_name,
                   std::string(revocations_.problem())});
  }
  if (!memory_.synced() && !memory_.problem().empty()) {
    out.push_back({std::string("secret ") + kMemorySecret, options_.election.namespace_name,
                   std::string(memory_.problem())});
  }
  return out;
}

ControllerFacts Controller::facts() const {
  ControllerFacts facts;
  facts.leads = election_.leads();
  facts.synced = synced();
  facts.kinds = sources_.facts();
  for (KindFact& fact : facts.kinds) fact.full = compiler_.full(fact.of);
  facts.forbidden = sources_.forbidden();
  add_judgements(facts);
  facts.certificates = gate_.certificates();
  facts.left_out = compiler_.left_out();
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
    for (const ingress::Finding& finding : findings(ref)) {
      ++facts.findings[{word_of(finding.severity), finding.reason}];
      if (finding.severity == ingress::Severity::kError) ++facts.object_errors[ref];
    }
  }
}

void Controller::on_refused(std::string_view proxy, feed::Version version,
                            std::string_view reason) {
  log::error("feed", "a proxy refuses what was published proxy={} version={}.{} why={}", proxy,
             version.term, version.sequence, reason);
}

}  // namespace kg::controller
