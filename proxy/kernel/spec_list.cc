#include "proxy/kernel/spec_list.h"

#include <nlohmann/json.hpp>

namespace kg::kernel {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr int kSpecDepthMax = 32;

// Throws nothing; a discarded value for what is no JSON or too deep.
OrderedJson parse_specs(std::string_view body) {
  bool too_deep = false;
  const auto watch_depth = [&too_deep](int depth, OrderedJson::parse_event_t /*event*/,
                                       OrderedJson&) {
    too_deep = too_deep || depth > kSpecDepthMax;
    return !too_deep;  // and nothing below is kept
  };
  OrderedJson document = OrderedJson::parse(body.begin(), body.end(), watch_depth, false);
  return too_deep ? OrderedJson(OrderedJson::value_t::discarded) : document;
}

// The name under which a spec is listed, and the one that it gives itself.
bool is_kept(const std::string& name, const OrderedJson& spec,
             const std::function<bool(std::string_view)>& keep) {
  const auto own = spec.find("name");
  if (own == spec.end()) return keep(name);
  return keep(name) && own->is_string() && own->get_ref<const std::string&>() == name;
}

}  // namespace

std::optional<std::string> filter_spec_list(std::string_view body,
                                            const std::function<bool(std::string_view)>& keep) {
  // The library takes a NUL for the end of the input.
  if (body.find('\0') != std::string_view::npos) return std::nullopt;
  const OrderedJson document = parse_specs(body);
  if (!document.is_object()) return std::nullopt;
  const auto listed = document.find("kernelspecs");
  if (listed == document.end() || !listed->is_object()) return std::nullopt;
  OrderedJson kept = OrderedJson::object();
  for (const auto& [name, spec] : listed->items()) {
    if (!spec.is_object()) return std::nullopt;
    if (is_kept(name, spec, keep)) kept[name] = spec;
  }
  std::string chosen;
  const auto first = document.find("default");
  if (first != document.end() && first->is_string()) chosen = first->get<std::string>();
  if (!kept.contains(chosen)) chosen = kept.empty() ? "" : kept.begin().key();
  OrderedJson out = OrderedJson::object();
  out["default"] = std::move(chosen);
  out["kernelspecs"] = std::move(kept);
  return out.dump();
}

}  // namespace kg::kernel
