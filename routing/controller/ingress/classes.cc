#include "routing/controller/ingress/classes.h"

#include <algorithm>
#include <utility>

namespace kg::ingress {

Classes::Classes(const Settings& settings, const Store& store)
    : settings_(settings), store_(store) {}

bool Classes::uses(const ObjectName& map) const {
  const auto is_of = [&](const auto& entry) { return entry.second.map == map; };
  return settings_.observed.parameters == map || std::ranges::any_of(states_, is_of);
}

bool Classes::recall(const Memories& memories) {
  recalled_ = memories;
  return std::ranges::any_of(memories, [this](const auto& entry) {
    const auto state = states_.find(entry.first);
    if (state == states_.end()) return entry.first.empty() && observed_.good == nullptr;
    return state->second.good == nullptr;
  });
}

void Classes::recall(State& state, const std::string& name) const {
  const auto known = recalled_.find(name);
  if (state.good != nullptr || known == recalled_.end() || known->second.uid != state.uid) return;
  ReadParameters read = read_parameters(known->second.data);
  if (!read.parameters) return;
  state.good = std::make_shared<const Parameters>(std::move(*read.parameters));
  state.data = known->second.data;
}

Classes::Memories Classes::exceptions() const {
  Memories out;
  if (observed_.is_last_good) out.emplace("", ClassMemory{"", observed_.data});
  for (const auto& [name, state] : states_) {
    if (state.is_last_good) out.emplace(name, ClassMemory{state.uid, state.data});
  }
  return out;
}

void Classes::refresh(State& state, const ClassSource* source, const ObjectRef& ref,
                      Report& report) {
  Findings findings;
  state.is_last_good = false;
  if (source != nullptr) state.map = source->parameters;
  if (source != nullptr && source->has_parameters && !source->parameters) {
    findings.error("InvalidParameters",
                   "spec.parameters names no ConfigMap: write kind: ConfigMap, scope: Namespace, "
                   "name and namespace; until then the class keeps its last good ones");
    state.is_last_good = state.good != nullptr;
  } else if (!state.map) {
    if (state.good == nullptr || !state.data.empty())
      state.good = std::make_shared<const Parameters>();
    state.data.clear();
  } else if (const MapSource* map = store_.map(*state.map); map == nullptr) {
    findings.error("ParametersNotFound",
                   "ConfigMap " + quote(state.map->text()) +
                       " is not there: make it; until then the class keeps its last good ones");
    state.is_last_good = state.good != nullptr;
  } else {
    ReadParameters read = read_parameters(map->data);
    state.is_last_good = !read.parameters && state.good != nullptr;
    if (read.parameters && (state.good == nullptr || state.data != map->data)) {
      state.good = std::make_shared<const Parameters>(std::move(*read.parameters));
      state.data = map->data;
    }
    report.emplace_back(ObjectRef{Kind::kConfigMap, *state.map}, std::move(read.findings));
  }
  report.emplace_back(ref, findings.all());
}

// Of several the newest, then by name, as the API server's own admission chooses.
std::string Classes::default_class() const {
  const ClassSource* best = nullptr;
  for (const auto& [name, source] : store_.classes()) {
    if (!source.is_default) continue;
    if (best == nullptr || source.meta.created > best->meta.created) best = &source;
  }
  return best == nullptr ? "" : best->meta.name.name;
}

Classes::Report Classes::refresh() {
  Report report;
  std::map<std::string, State> states;
  for (const auto& [name, source] : store_.classes()) {
    const ObjectRef ref{Kind::kIngressClass, name};
    if (source.controller != settings_.controller) {
      report.emplace_back(ref, std::vector<Finding>{});
      continue;
    }
    State state = std::move(states_[name.name]);
    state.uid = source.meta.uid;
    recall(state, name.name);
    refresh(state, &source, ref, report);
    states.emplace(name.name, std::move(state));
  }
  states_ = std::move(states);
  observed_.map = settings_.observed.parameters;
  recall(observed_, "");
  refresh(observed_, nullptr, {Kind::kIngressClass, {"", settings_.observed.class_name}}, report);
  default_ = default_class();
  recalled_.clear();
  return report;
}

bool Classes::is_observed(const IngressSource& ingress, const std::string& class_name) const {
  const Observed& observed = settings_.observed;
  if (!observed.class_name.empty() && class_name == observed.class_name) return true;
  const auto label = ingress.meta.labels.find(observed.label);
  return label != ingress.meta.labels.end() && label->second == observed.label_value;
}

std::optional<ResolvedClass> Classes::resolve(const IngressSource& ingress) const {
  const std::string& name = ingress.class_name.empty() ? default_ : ingress.class_name;
  if (const auto own = states_.find(name); own != states_.end())
    return ResolvedClass{name, false, own->second.good};
  if (is_observed(ingress, name)) return ResolvedClass{name, true, observed_.good};
  return std::nullopt;
}

}  // namespace kg::ingress
