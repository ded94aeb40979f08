#include "routing/controller/run/sources.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "proxy/base/log.h"
#include "routing/controller/ingress/source.h"

namespace kg::controller {
namespace {

using ingress::Kind;
using ingress::ObjectName;
using ingress::ObjectRef;

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

std::vector<Watched> watched() {
  return {
      {Kind::kIngressClass, {"networking.k8s.io", "v1", "ingressclasses", "IngressClass"}, true},
      {Kind::kIngress, {"networking.k8s.io", "v1", "ingresses", "Ingress"}},
      {Kind::kService, {"", "v1", "services", "Service"}},
      {Kind::kEndpointSlice, {"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"}},
      {Kind::kSecret, {"", "v1", "secrets", "Secret"}, false, kUsefulSecrets}};
}

kube::Selection map_named(const ObjectName& name) {
  return {{"", "v1", "configmaps", "ConfigMap"}, name.space, "", "metadata.name=" + name.name};
}

}  // namespace

class Sources::Source final : public kube::Handler {
 public:
  Source(Sources& owner, Kind kind, kube::Selection selection)
      : owner_(owner),
        kind_(kind),
        reflector_(owner.loop_, owner.client_, std::move(selection), *this) {}

  void start() { reflector_.start(); }
  void relist() { reflector_.relist(); }
  void assume_empty() { reflector_.assume_empty(); }
  const std::string& namespace_name() const noexcept {
    return reflector_.selection().namespace_name;
  }
  Kind kind() const noexcept { return kind_; }
  const kube::Reflector& reflector() const noexcept { return reflector_; }
  ListProblem problem() const {
    const kube::Selection& selection = reflector_.selection();
    std::string what = selection.resource.plural;
    if (!selection.resource.group.empty()) what += "." + selection.resource.group;
    return {std::move(what), selection.namespace_name, std::string(reflector_.problem())};
  }

 private:
  bool on_upsert(const nlohmann::json& object) override { return owner_.take(kind_, object); }
  void on_remove(const std::string& namespace_name, const std::string& name) override {
    owner_.lose({kind_, {namespace_name, name}});
  }
  void on_synced() override { owner_.listed(*this); }

  Sources& owner_;
  const Kind kind_;
  kube::Reflector reflector_;
};

Sources::Sources(event::EventLoop& loop, kube::Client& client, Options options,
                 SourceHandler& handler)
    : loop_(loop),
      client_(client),
      options_(std::move(options)),
      handler_(handler),
      absent_(loop, client, [this](const std::string& name) { assume_empty(name); }),
      absent_look_(loop, [this] { ask_for_absent(); }) {
  std::vector<std::string> namespaces = options_.namespaces;
  if (namespaces.empty()) namespaces.emplace_back();
  for (const Watched& what : watched()) {
    for (const std::string& name : namespaces) {
      sources_.push_back(std::make_unique<Source>(
          *this, what.kind,
          kube::Selection{what.resource, what.of_cluster ? "" : name, "", what.field_selector}));
      if (what.of_cluster) break;
    }
  }
}

Sources::~Sources() = default;

void Sources::start() {
  for (const auto& source : sources_) source->start();
  if (options_.observed_parameters) follow(*options_.observed_parameters);
  absent_look_.arm_ms(kAbsentLookMs);
}

void Sources::ask_for_absent() {
  if (synced_) return;
  for_each([&](const Source& source) {
    const kube::Reflector& reflector = source.reflector();
    if (!source.namespace_name().empty() && !reflector.synced() && reflector.is_forbidden())
      absent_.ask(source.namespace_name());
  });
  absent_look_.arm_ms(kAbsentLookMs);
}

void Sources::assume_empty(const std::string& namespace_name) {
  for (const auto& source : sources_) {
    if (source->namespace_name() == namespace_name) source->assume_empty();
  }
  std::vector<ObjectName> maps;  // what hears of one may give up another
  for (const auto& [name, source] : maps_) {
    if (name.space == namespace_name) maps.push_back(name);
  }
  for (const ObjectName& name : maps) {
    if (const auto known = maps_.find(name); known != maps_.end()) known->second->assume_empty();
  }
}

void Sources::relist(Kind kind) {
  for (const auto& source : sources_) {
    if (source->kind() == kind) source->relist();
  }
}

bool Sources::watches(const std::string& namespace_name) const {
  return options_.namespaces.empty() ||
         std::ranges::find(options_.namespaces, namespace_name) != options_.namespaces.end();
}

bool Sources::take(Kind kind, const nlohmann::json& object) {
  return kind == Kind::kIngressClass ? take_class(object) : handler_.on_object(kind, object);
}

bool Sources::take_class(const nlohmann::json& object) {
  const std::optional<ingress::ClassSource> read = ingress::read_class(object);
  if (!read) return false;
  const std::string& name = read->meta.name.name;
  held_.erase(name);
  named_.erase(name);
  const bool names_one = read->controller == options_.controller && read->parameters;
  if (names_one) named_.emplace(name, *read->parameters);
  if (names_one && !is_listed(*read->parameters) && follow(*read->parameters)) {
    held_.emplace(name, object);
    return true;
  }
  const bool keeps = handler_.on_object(Kind::kIngressClass, object);
  unfollow();
  return keeps;
}

void Sources::lose(const ObjectRef& ref) {
  handler_.on_gone(ref);
  if (ref.kind != Kind::kIngressClass) return;
  held_.erase(ref.name.name);
  named_.erase(ref.name.name);
  unfollow();
}

void Sources::listed(const Source& source) {
  const auto known =
      std::ranges::find_if(maps_, [&](const auto& entry) { return entry.second.get() == &source; });
  if (known != maps_.end()) {
    std::erase_if(held_, [&](const auto& entry) {
      if (named_.at(entry.first) != known->first) return false;
      handler_.on_object(Kind::kIngressClass, entry.second);
      return true;
    });
    unfollow();
  }
  look();
}

bool Sources::is_listed(const ObjectName& map) const {
  const auto known = maps_.find(map);
  return known != maps_.end() && known->second->reflector().synced();
}

// False for what is not watched: to its class it is not there.
bool Sources::follow(const ObjectName& map) {
  if (maps_.contains(map)) return true;
  if (!watches(map.space)) return false;
  if (maps_.size() == kParameterMapsMax) {
    log::error("kube", "ConfigMap {} is not read: classes name more than {} for their parameters",
               map.text(), kParameterMapsMax);
    return false;
  }
  const auto made =
      maps_.emplace(map, std::make_unique<Source>(*this, Kind::kConfigMap, map_named(map))).first;
  made->second->start();
  return true;
}

// What no class names any more. While some are held, those may be told by the names that they had.
void Sources::unfollow() {
  if (!held_.empty()) return;
  std::set<ObjectName> wanted;
  for (const auto& [name, map] : named_) wanted.insert(map);
  if (options_.observed_parameters) wanted.insert(*options_.observed_parameters);
  std::erase_if(maps_, [&](const auto& entry) {
    if (wanted.contains(entry.first)) return false;
    handler_.on_gone({Kind::kConfigMap, entry.first});
    return true;
  });
  look();
}

void Sources::look() {
  if (synced_) return;
  bool all = true;
  for_each([&](const Source& source) { all = all && source.reflector().synced(); });
  if (!all) return;
  synced_ = true;
  handler_.on_synced();
}

template <class Use>
void Sources::for_each(Use&& use) const {
  for (const auto& source : sources_) use(*source);
  for (const auto& [name, source] : maps_) use(*source);
}

std::string Sources::uid_of(const ObjectRef& ref) const {
  std::string uid;
  for_each([&](const Source& source) {
    if (source.kind() != ref.kind) return;
    const auto* kept = source.reflector().store().find({ref.name.space, ref.name.name});
    if (kept != nullptr) uid = kept->uid;
  });
  return uid;
}

std::vector<KindFact> Sources::facts() const {
  std::vector<KindFact> out;
  for (const Watched& what : watched()) out.push_back({ingress::name_of(what.kind), what.kind});
  out.push_back({ingress::name_of(Kind::kConfigMap), Kind::kConfigMap});
  const uint64_t now_us = event::monotonic_us();
  for_each([&](const Source& source) {
    KindFact& fact = *std::ranges::find(out, source.kind(), &KindFact::of);
    const kube::Reflector& reflector = source.reflector();
    const uint64_t heard_us = reflector.heard_us();
    fact.objects += reflector.store().objects().size();
    fact.lag_us = std::max(fact.lag_us, reflector.lag_us());
    if (heard_us != 0 && heard_us < now_us)
      fact.quiet_us = std::max(fact.quiet_us, now_us - heard_us);
    fact.lists += reflector.counts().lists;
    fact.errors += reflector.counts().list_errors + reflector.counts().watch_errors;
  });
  return out;
}

std::vector<ListProblem> Sources::waiting() const {
  std::vector<ListProblem> out;
  for_each([&](const Source& source) {
    const kube::Reflector& reflector = source.reflector();
    if (!reflector.synced() && !reflector.problem().empty()) out.push_back(source.problem());
  });
  return out;
}

std::vector<ListProblem> Sources::forbidden() const {
  std::vector<ListProblem> out;
  for_each([&](const Source& source) {
    if (source.reflector().is_forbidden()) out.push_back(source.problem());
  });
  return out;
}

}  // namespace kg::controller
