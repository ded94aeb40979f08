#include "proxy/kernel/spec_list.h"

#include <nlohmann/json.hpp>

namespace kg::kernel {
namespace {

using json = nlohmann::ordered_json;

constexpr int kDepthMax = 32;

// Throws nothing; a discarded value for what is no JSON or too deep.
json parse(std::string_view body) {
  bool too_deep = false;
  const auto watch_depth = [&too_deep](int depth, json::parse_event_t /*event*/, json&) {
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;  // and nothing below is kept
  };
  json document = json::parse(body.begin(), body.end(), watch_depth, false);
  return too_deep ? json(json::value_t::discarded) : document;
}

// The name under which a spec is listed, and the one that it gives itself.
bool is_kept(const std::string& name, const json& spec,
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
  const json document = parse(body);
  if (!document.is_object()) return std::nullopt;
  const auto listed = document.find("kernelspecs");
  if (listed == document.end() || !listed->is_object()) return std::nullopt;
  json kept = json::object();
  for (const auto& [name, spec] : listed->items()) {
    if (!spec.is_object()) return std::nullopt;
    if (is_kept(name, spec, keep)) kept[name] = spec;
  }
  std::string chosen;
  const auto first = document.find("default");
  if (first != document.end() && first->is_string()) chosen = first->get<std::string>();
  if (!kept.contains(chosen)) chosen = kept.empty() ? "" : kept.begin().key();
  json out = json::object();
  out["default"] = std::move(chosen);
  out["kernelspecs"] = std::move(kept);
  return out.dump();
}

}  // namespace kg::kernel
