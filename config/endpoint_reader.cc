#include "config/endpoint_reader.h"

#include <algorithm>
#include <utility>

#include "config/names.h"
#include "config/values.h"

namespace kg::config {
namespace {

// Clients of gateways make the WebSocket URL by replacing every "http" in the whole URL, not only
// in its scheme (domain G4).
void warn_of_http(const std::string& value, const Place& place, Problems& problems) {
  if (value.find("http") == std::string::npos) return;
  problems.warn(place, quote(value) + " holds \"http\", which Jupyter clients turn into \"ws\"",
                "choose a name without it, or their WebSockets go elsewhere");
}

void read_route(const Section& section, RouteClaims& claims, Endpoint& endpoint) {
  const std::vector<Listed<std::string>> hosts = section.values<std::string>("hosts", parse_host);
  endpoint.path_prefix = section.value<std::string>("path_prefix", parse_path_prefix);
  endpoint.strip_prefix = section.value<bool>("strip_prefix", parse_boolean);
  endpoint.other_paths = section.value<OtherPaths>("other_paths", parse_other_paths);
  Problems& problems = section.problems();
  if (!section.has("hosts") && !section.has("path_prefix")) {
    problems.error(section.place(), "no way leads to this endpoint",
                   "give it hosts, path_prefix or both");
    return;
  }
  for (const Listed<std::string>& host : hosts) {
    endpoint.hosts.push_back(host.value);
    warn_of_http(host.value, host.place, problems);
  }
  const Place prefix_place = section.place_of("path_prefix");
  warn_of_http(endpoint.path_prefix, prefix_place, problems);
  // What could not be read must not count as "any host" or "any path".
  if (section.has("path_prefix") && endpoint.path_prefix.empty()) return;
  for (const Listed<std::string>& host : hosts)
    claims.claim_route(host.value, endpoint.path_prefix, host.place);
  if (!section.has("hosts")) claims.claim_route("", endpoint.path_prefix, prefix_place);
}

void read_pods(const Section& gateway, std::vector<Pod>& out) {
  const std::vector<Section> pods = gateway.maps("pods");
  for (const Section& section : pods) {
    Pod pod;
    pod.address = section.value<Address>("address", parse_pod_address);
    pod.name = section.value<std::string>("name", parse_dns_name);
    if (pod.name.empty()) pod.name = address_text(pod.address);
    out.push_back(std::move(pod));
  }
  if (pods.size() > 1) {
    gateway.problems().error(
        gateway.place_of("pods"), "more than one pod is not supported by this version",
        "keep one: without kernel placement a request reaches the wrong pod, which then deletes "
        "the kernel's record");  // domain J23
  }
}

std::optional<GatewayTls> read_tls(const Section& gateway, const Files& files) {
  if (!gateway.has("tls")) return std::nullopt;
  const auto section = gateway.map("tls");
  if (!section) return std::nullopt;
  GatewayTls out;
  out.place = section->place();
  out.ca_file = files.existing(*section, "ca_file", Secrecy::kPublic);
  out.server_name = section->value<std::string>("server_name", parse_host);
  if (!section->has("client_certificate")) return out;
  if (const auto own = section->map("client_certificate")) {
    CertificatePair& pair = out.client_certificate.emplace();
    pair.certificate = files.existing(*own, "certificate", Secrecy::kPublic);
    pair.private_key = files.existing(*own, "private_key", Secrecy::kSecret);
    pair.place = own->place_of("certificate");
  }
  return out;
}

HealthCheck read_health_check(const Section& gateway) {
  HealthCheck out;
  out.enabled = !gateway.is_word("health_check", "off");
  if (!out.enabled) return out;
  const auto section = gateway.map("health_check");
  if (!section) return out;
  out.path = section->value<std::string>("path", parse_request_path);
  out.interval = section->value<Millis>("interval", parse_duration);
  out.timeout = section->value<Millis>("timeout", parse_duration);
  out.unhealthy_after = section->value<uint32_t>("unhealthy_after", parse_integer);
  out.healthy_after = section->value<uint32_t>("healthy_after", parse_integer);
  return out;
}

void read_gateway(const Section& section, const Files& files, Gateway& out) {
  read_pods(section, out.pods);
  section.value<std::string>("credentials", parse_credentials);
  out.token_file = files.existing(section, "token_file", Secrecy::kSecret);
  out.token_place = section.place_of("token_file");
  out.tls = read_tls(section, files);
  out.health_check = read_health_check(section);
  out.kernel_launch_timeout = section.value<Millis>("kernel_launch_timeout", parse_duration);
  out.connections_max = section.value<uint32_t>("connections_max", parse_integer);
  out.queue_max = section.value<uint32_t>("queue_max", parse_integer);
  out.connect_timeout = section.value<Millis>("connect_timeout", parse_duration);
  out.idle_timeout = section.value<Millis>("idle_timeout", parse_duration);
}

void read_jwt(const Section& section, const Files& files, JwtSessions& out) {
  out.issuer = section.value<std::string>("issuer", parse_text);
  out.realm = section.value<std::string>("realm", parse_text);
  if (out.realm.empty()) out.realm = out.issuer;
  out.audience = section.value<std::string>("audience", parse_text);
  out.keys_file = files.existing(section, "keys_file", Secrecy::kPublic);
  out.place = section.place_of("keys_file");
  for (Listed<std::string>& name : section.values<std::string>("algorithms", parse_algorithm)) {
    if (std::find(out.algorithms.begin(), out.algorithms.end(), name.value) !=
        out.algorithms.end()) {
      section.problems().error(name.place, quote(name.value) + " stands here twice",
                               "remove one of them");
    } else {
      out.algorithms.push_back(std::move(name.value));
    }
  }
}

}  // namespace

Endpoint read_endpoint(const Section& section, const Files& files, RouteClaims& claims) {
  Endpoint out;
  out.place = section.place();
  out.id = section.value<std::string>("id", parse_endpoint_id);
  if (!out.id.empty()) claims.claim_id(out.id, section.place_of("id"));
  out.virtual_cluster = section.value<std::string>("virtual_cluster", parse_dns_label);
  out.execution_role_arn = section.value<std::string>("execution_role_arn", parse_role_arn);
  read_route(section, claims, out);
  if (const auto gateway = section.map("gateway")) read_gateway(*gateway, files, out.gateway);
  if (const auto sessions = section.map("sessions")) {
    if (const auto jwt = sessions->map("jwt")) read_jwt(*jwt, files, out.sessions);
  }
  return out;
}

}  // namespace kg::config
