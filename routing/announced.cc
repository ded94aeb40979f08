#include "routing/announced.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/endpoint_loader.h"
#include "config/names.h"
#include "config/values.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "routing/feed/message.h"

namespace kg::routing {
namespace {

using Json = nlohmann::json;

const Json* member(const Json& object, const char* name, Json::value_t type) {
  const auto found = object.find(name);
  return found == object.end() || found->type() != type ? nullptr : &*found;
}

std::optional<std::string> text(const Json& object, const char* name) {
  const Json* found = member(object, name, Json::value_t::string);
  return found == nullptr ? std::nullopt : std::optional(found->get_ref<const std::string&>());
}

bool flag(const Json& object, const char* name) {
  const Json* found = member(object, name, Json::value_t::boolean);
  return found != nullptr && found->get<bool>();
}

// The parsers of the configuration look at no key for these.
template <class T>
bool parse(std::string_view value, config::Parser<T> parser, T& out) {
  if (value.empty()) return false;
  config::Parsed<T> parsed = parser(value, config::KeyInfo{});
  if (parsed.value) out = std::move(*parsed.value);
  return parsed.value.has_value();
}

std::string read_texts(const Json& payload, config::Texts& out) {
  const Json* files = member(payload, "files", Json::value_t::object);
  if (files == nullptr) return payload.contains("files") ? "\"files\" is no object" : "";
  for (const auto& [name, value] : files->items()) {
    if (!value.is_string()) return "a text of \"files\" is none";
    out.emplace(name, value.get_ref<const std::string&>());
  }
  return "";
}

std::string read_route(const Json& value, AnnouncedRoute& out) {
  const auto host = text(value, "host");
  const auto path = text(value, "path");
  const auto type = text(value, "type");
  if (!host || !path || !type) return "a route lacks its host, path or type";
  if (!host->empty() && !parse(*host, config::parse_route_host, out.host)) {
    return "a route's host is none";
  }
  if (*type != "Exact" && *type != "Prefix") return "a route's type is neither Exact nor Prefix";
  out.type = *type == "Exact" ? PathType::kExact : PathType::kPrefix;
  std::string_view left = *path;
  if (out.type == PathType::kPrefix) {
    while (left.ends_with('/')) left.remove_suffix(1);
    if (left.empty()) return path->empty() || path->front() != '/' ? "a route has no path" : "";
  }
  std::string checked;
  if (!parse(left, config::parse_request_path, checked)) return "a route's path is none";
  out.path = std::move(checked);
  return "";
}

std::string read_pod(const Json& value, AnnouncedPod& out) {
  const auto name = text(value, "name");
  const auto uid = text(value, "uid");
  const auto address = text(value, "address");
  if (!name || !uid || !address) return "a pod lacks its name, uid or address";
  if (!parse(*name, config::parse_dns_name, out.name)) return "a pod's name is none";
  if (!parse(*uid, config::parse_dns_name, out.uid)) return "a pod's uid is none";
  if (!parse(*address, config::parse_pod_address, out.address)) return "a pod's address is none";
  out.ready = flag(value, "ready");
  out.serving = flag(value, "serving");
  return "";
}

template <class T>
std::string read_list(const Json& payload, const char* name, size_t max, std::vector<T>& out,
                      std::string (*read)(const Json&, T&)) {
  const Json* list = member(payload, name, Json::value_t::array);
  if (list == nullptr) return std::string("\"") + name + "\" is no array";
  if (list->size() > max) return std::string("\"") + name + "\" is too long";
  for (const Json& value : *list) {
    std::string problem = read(value, out.emplace_back());
    if (!problem.empty()) return problem;
  }
  return "";
}

// One line, however many there are.
void tell_ignored(const std::string& id, const std::vector<config::ConfigError>& warnings) {
  if (warnings.empty()) return;
  log::debug("feed", "endpoint {}: config {}: {} ({} warnings in all)", id,
             config::quote(warnings.front().key), warnings.front().problem, warnings.size());
}

std::string read_config(const Json& payload, config::UnknownKeys unknown_keys, Announced& out) {
  const Json* config = member(payload, "config", Json::value_t::object);
  if (config == nullptr) return "\"config\" is no object";
  config::LoadedEndpoint loaded = config::load_endpoint(config->dump(), out.texts, unknown_keys);
  if (!loaded.endpoint) {
    for (const config::ConfigError& error : loaded.errors) {
      if (!error.warning) return "config " + error.key + ": " + error.problem;
    }
    return "\"config\" is not usable";
  }
  tell_ignored(loaded.endpoint->id, loaded.errors);
  out.endpoint = std::move(*loaded.endpoint);
  const Json* files = member(payload, "files", Json::value_t::object);
  out.digest = crypto::sha256(config->dump(), files == nullptr ? "" : files->dump());
  if (text(payload, "id") != out.endpoint.id ||
      text(payload, "namespace") != out.endpoint.virtual_cluster) {
    return "id and namespace are not those of \"config\"";
  }
  return "";
}

}  // namespace

ReadAnnounced read_announced(std::string_view payload, config::UnknownKeys unknown_keys) {
  if (payload.size() > kAnnouncedBytesMax) return {std::nullopt, "is larger than 1 MiB"};
  const Json json = Json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {std::nullopt, "is no JSON object"};
  const Json* schema = member(json, "schema", Json::value_t::number_unsigned);
  if (schema == nullptr || *schema != feed::kSchema) return {std::nullopt, "is of another schema"};
  if (text(json, "kind") != "endpoint") return {std::nullopt, "is no endpoint"};
  Announced out;
  std::string problem = read_texts(json, out.texts);
  if (problem.empty()) problem = read_config(json, unknown_keys, out);
  if (problem.empty()) {
    problem = read_list(json, "routes", kAnnouncedRoutesMax, out.routes, read_route);
  }
  if (problem.empty()) {
    problem = read_list(json, "pods", kAnnouncedPodsMax, out.pods, read_pod);
  }
  if (!problem.empty()) return {std::nullopt, std::move(problem)};
  return {std::move(out), ""};
}

std::vector<Route> compile_announced(const Announced& announced, EndpointCompiler& compiler,
                                     const auth::SessionsRef& sessions) {
  config::Endpoint wanted = announced.endpoint;
  for (const AnnouncedPod& pod : announced.pods) {
    wanted.gateway.pods.push_back({pod.name, pod.address, pod.uid});
  }
  const Source source{"the feed", &announced.texts};
  std::map<std::string_view, EndpointRef> by_prefix;
  std::vector<Route> routes;
  for (const AnnouncedRoute& route : announced.routes) {
    EndpointRef& endpoint = by_prefix[prefix_of(route.type, route.path)];
    if (endpoint == nullptr) {
      wanted.path_prefix = prefix_of(route.type, route.path);
      endpoint = compiler.compile(wanted, source, sessions);
    }
    routes.push_back({route.host, route.path, endpoint, route.type, route.host.empty()});
  }
  return routes;
}

// A path begins with a slash, which no host holds.
std::string rule_of(const Route& route) {
  return (route.type == PathType::kExact ? "=" : "") + route.host + route.path;
}

void mark_ready_pods(const Announced& announced, const std::vector<Route>& routes) {
  // All prefixes share their pods' facts.
  if (routes.empty()) return;
  const std::vector<Pod>& pods = routes.front().endpoint->pods;
  for (size_t i = 0; i < pods.size(); ++i) pods[i].facts->set_ready(announced.pods[i].ready);
}

}  // namespace kg::routing
