#include "routing/controller/run/controller.h"

#include <utility>

#include "proxy/base/log.h"
#include "routing/announced.h"

namespace kg::controller {
namespace {

using ingress::Kind;

struct Watched {
  Kind kind;
  kube::Resource resource;
  bool of_cluster = false;  // has no namespace
};

std::vector<Watched> watched() {
  return {
      {Kind::kIngressClass, {"networking.k8s.io", "v1", "ingressclasses", "IngressClass"}, true},
      {Kind::kIngress, {"networking.k8s.io", "v1", "ingresses", "Ingress"}},
      {Kind::kService, {"", "v1", "services", "Service"}},
      {Kind::kEndpointSlice, {"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"}},
      {Kind::kSecret, {"", "v1", "secrets", "Secret"}},
      {Kind::kConfigMap, {"", "v1", "configmaps", "ConfigMap"}}};
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
        reflector_(owner.loop_, owner.client_,
                   kube::Selection{what.resource, std::move(namespace_name), "", ""}, *this) {}

  void start() { reflector_.start(); }

 private:
  void on_upsert(const nlohmann::json& object) override {
    owner_.compiler_.put(kind_, object);
    owner_.loop_.schedule_flush(owner_);
  }
  void on_remove(const std::string& namespace_name, const std::string& name) override {
    owner_.compiler_.erase({kind_, {namespace_name, name}});
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
      revocations_(loop, client, options_.election.namespace_name, [this] {
        revocations_changed_ = true;
        loop_.schedule_flush(*this);
      }) {
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
  election_.start();
  return "";
}

void Controller::on_leading(uint64_t term) {
  publishes_ = false;
  revocations_.set_leading(term != 0);
  loop_.schedule_flush(*this);
}

void Controller::run_task() {
  if (!synced()) return;
  ingress::Changes changes = compiler_.run();
  drop_unreadable(changes.items);
  tell(changes.judged);
  if (!election_.leads()) return;
  if (!publishes_ || version_.term != election_.term()) return publish_all();
  if (std::exchange(revocations_changed_, false)) changes.items.push_back(revocations_item());
  if (!changes.items.empty() || !changes.removed.empty()) publish(std::move(changes));
}

// Everybody's: who is revoked is so at every endpoint.
feed::Item Controller::revocations_item() const {
  const auto now = static_cast<int64_t>(event::wall_us() / 1'000'000);
  return {
      std::string(routing::kRevocationsKey), "", "",
      std::make_shared<const std::string>(routing::revocations_payload(revocations_.entries(now)))};
}

void Controller::on_fact(const feed::Fact& fact) {
  if (!routing::may_revoke(fact.scope_namespace)) return;
  if (const auto notice = routing::RevocationNotice::parse(fact.bytes)) revocations_.hear(*notice);
}

void Controller::publish_all() {
  std::vector<std::shared_ptr<const feed::Item>> items;
  std::vector<feed::Item> all = compiler_.items();
  drop_unreadable(all);
  items.reserve(all.size() + 1);
  for (feed::Item& item : all) {
    items.push_back(std::make_shared<const feed::Item>(std::move(item)));
  }
  items.push_back(std::make_shared<const feed::Item>(revocations_item()));
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

// What a proxy could not read would make it refuse all that comes with it.
void Controller::drop_unreadable(std::vector<feed::Item>& items) {
  std::erase_if(items, [](const feed::Item& item) {
    if (!item.key.starts_with("endpoint/")) return false;
    const std::string problem = routing::read_announced(*item.payload).problem;
    if (!problem.empty()) log::error("ingress", "{} is not published: {}", item.key, problem);
    return !problem.empty();
  });
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

void Controller::tell(const std::vector<ingress::ObjectRef>& judged) const {
  for (const ingress::ObjectRef& ref : judged) {
    for (const ingress::Finding& finding : compiler_.findings(ref)) {
      log::warn("ingress", "{} severity={} reason={} {}", ref.text(), word_of(finding.severity),
                finding.reason, finding.message);
    }
  }
}

void Controller::on_refused(std::string_view proxy, feed::Version version,
                            std::string_view reason) {
  log::error("feed", "a proxy refuses what was published proxy={} version={}.{} why={}", proxy,
             version.term, version.sequence, reason);
}

}  // namespace kg::controller
