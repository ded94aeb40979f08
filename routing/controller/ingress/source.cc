#include "routing/controller/ingress/source.h"

#include <algorithm>
#include <utility>

#include "config/names.h"
#include "routing/controller/ingress/annotations.h"
#include "routing/controller/ingress/limits.h"

namespace kg::ingress {
namespace {

constexpr std::string_view kDefaultClass = "ingressclass.kubernetes.io/is-default-class";
constexpr std::string_view kServiceLabel = "kubernetes.io/service-name";

// As proxies read names and uids.
bool is_pod_name(std::string_view text) {
  static constexpr config::KeyInfo kNoKey{};
  return !text.empty() && config::parse_dns_name(text, kNoKey).value.has_value();
}

// Of a label or an annotation, "" without it.
std::string_view noted(const Json& object, const char* where, std::string_view key) {
  return text(member(member(object, "metadata"), where), key);
}

}  // namespace

std::optional<ClassSource> read_class(const Json& object) {
  auto meta = metadata(object);
  if (!meta) return std::nullopt;
  ClassSource out;
  const Json& spec = member(object, "spec");
  out.controller = text(spec, "controller");
  out.is_default = noted(object, "annotations", kDefaultClass) == "true";
  out.meta = std::move(*meta);
  const Json& parameters = member(spec, "parameters");
  out.has_parameters = parameters.is_object();
  const std::string_view name = text(parameters, "name");
  const std::string_view space = text(parameters, "namespace");
  if (text(parameters, "apiGroup").empty() && text(parameters, "kind") == "ConfigMap" &&
      !name.empty() && !space.empty()) {
    out.parameters = ObjectName{std::string(space), std::string(name)};
  }
  return out;
}

std::optional<ServiceSource> read_service(const Json& object) {
  auto meta = metadata(object);
  if (!meta) return std::nullopt;
  ServiceSource out;
  out.meta = std::move(*meta);
  const Json& spec = member(object, "spec");
  out.is_external_name = text(spec, "type") == "ExternalName";
  const Json& families = list(spec, "ipFamilies");
  out.prefers_ipv6 = !families.empty() && text(families.front()) == "IPv6";
  for (const Json& entry : list(spec, "ports")) {
    const std::string_view protocol = text(entry, "protocol");
    const auto number = port(member(entry, "port"));
    if (!number || (!protocol.empty() && protocol != "TCP")) continue;
    out.ports.push_back({std::string(text(entry, "name")), *number,
                         port(member(entry, "targetPort")).value_or(0),
                         std::string(text(entry, "appProtocol"))});
    // Without a targetPort it is the port itself.
    if (member(entry, "targetPort").is_null()) out.ports.back().target = *number;
  }
  return out;
}

std::optional<SliceSource> read_slice(const Json& object) {
  auto meta = metadata(object);
  if (!meta) return std::nullopt;
  SliceSource out;
  out.service = noted(object, "labels", kServiceLabel);
  out.meta = std::move(*meta);
  out.is_ipv6 = text(object, "addressType") == "IPv6";
  out.is_fqdn = text(object, "addressType") == "FQDN";
  for (const Json& entry : list(object, "ports")) {
    const std::string_view protocol = text(entry, "protocol");
    if (!protocol.empty() && protocol != "TCP") continue;
    const Json& number = member(entry, "port");
    if (!number.is_null() && !port(number)) continue;
    out.ports.push_back({std::string(text(entry, "name")), port(number).value_or(0)});
  }
  for (const Json& entry : list(object, "endpoints")) {
    SliceEndpoint endpoint;
    const Json& addresses = list(entry, "addresses");
    if (!addresses.empty()) endpoint.address = text(addresses.front());
    if (endpoint.address.empty()) continue;
    const Json& conditions = member(entry, "conditions");
    endpoint.ready = flag(conditions, "ready", true);
    endpoint.serving = flag(conditions, "serving", endpoint.ready);
    endpoint.terminating = flag(conditions, "terminating", false);
    const Json& target = member(entry, "targetRef");
    if (text(target, "kind") == "Pod" && is_pod_name(text(target, "name"))) {
      endpoint.pod = text(target, "name");
      if (is_pod_name(text(target, "uid"))) endpoint.uid = text(target, "uid");
    }
    out.endpoints.push_back(std::move(endpoint));
  }
  return out;
}

const Secret* SecretSource::find(std::string_view key) const noexcept {
  for (const auto& [name, value] : values) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<SecretSource> read_secret(const Json& object) {
  auto meta = metadata(object);
  if (!meta) return std::nullopt;
  SecretSource out;
  out.meta = std::move(*meta);
  out.type = text(object, "type");
  if (out.type.empty()) out.type = "Opaque";
  out.may_be_used =
      out.type == "Opaque" || out.type == "kubernetes.io/tls" || out.type.starts_with(kOwnPrefix);
  if (!out.may_be_used) return out;
  const Json& data = member(object, "data");
  const Json& plain = member(object, "stringData");  // manifests have it; the API server merges it
  size_t bytes = 0;
  for (const Json* values : {&data, &plain}) {
    if (!values->is_object()) continue;
    for (const auto& [key, value] : values->items()) bytes += key.size() + text(value).size();
  }
  // Never looked into: releases of charts, for example, are a megabyte each.
  out.is_too_large = bytes > kSecretBytesMax;
  if (out.is_too_large) return out;
  if (plain.is_object()) {
    for (const auto& [key, value] : plain.items())
      out.values.emplace_back(key, Secret(std::string(text(value))));
  }
  if (data.is_object()) {
    for (const auto& [key, value] : data.items()) {
      if (out.find(key) != nullptr) continue;
      if (auto decoded = Secret::from_base64(text(value)))
        out.values.emplace_back(key, std::move(*decoded));
    }
  }
  return out;
}

std::optional<MapSource> read_map(const Json& object) {
  auto meta = metadata(object);
  if (!meta) return std::nullopt;
  MapSource out;
  out.meta = std::move(*meta);
  out.data = texts(object, "data");
  return out;
}

}  // namespace kg::ingress
