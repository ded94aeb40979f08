#include "config/endpoint_reader.h"

#include <utility>

#include "config/kernel_reader.h"
#include "config/names.h"
#include "config/policy_reader.h"
#include "config/sessions_reader.h"
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
  const std::vector<Listed<std::string>> hosts =
      section.values<std::string>("hosts", parse_route_host);
  endpoint.path_prefix = section.value<std::string>("path_prefix", parse_path_prefix);
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
    for (const Pod& other : out) {
      if (other.name != pod.name && address_text(other.address) != address_text(pod.address))
        continue;
      gateway.problems().error(section.place(), "is the same pod as one before it",
                               "give each pod a name and an address of its own: kernel ids name "
                               "the pod that holds the kernel");
      break;
    }
    out.push_back(std::move(pod));
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

Parsed<Millis> parse_duration_or_off(std::string_view text, const KeyInfo& info) {
  if (text == "off") return Parsed<Millis>::ok(Millis(0));
  Parsed<Millis> parsed = parse_duration(text, info);
  if (!parsed.value) parsed.remedy += ", or off";
  return parsed;
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
  out.credentials = section.value<GatewayCredentials>("credentials", parse_credentials);
  out.credentials_place = section.place_of("credentials");
  out.token_file = files.existing(section, "token_file", Secrecy::kSecret);
  out.token_place = section.place_of("token_file");
  out.tls = read_tls(section, files);
  out.health_check = read_health_check(section);
  out.census = section.value<Millis>("census", parse_duration_or_off);
  if (const auto headers = section.map("identity_headers")) {
    out.identity_headers = read_identity_headers(*headers);
  }
  out.kernel_launch_timeout = section.value<Millis>("kernel_launch_timeout", parse_duration);
  out.launches_max = section.value<uint32_t>("launches_max", parse_integer);
  out.launch_queue_max = section.value<uint32_t>("launch_queue_max", parse_integer);
  if (!section.is_word("websocket_reconnect", "off")) {
    out.websocket_reconnect = section.value<Millis>("websocket_reconnect", parse_duration);
  } else {
    out.websocket_reconnect = Millis(0);
  }
  out.connections_max = section.value<uint32_t>("connections_max", parse_integer);
  out.replication = section.value<bool>("replication", parse_boolean);
  out.list_stale_for = section.value<Millis>("list_stale_for", parse_duration);
  out.gone_after = section.value<Millis>("gone_after", parse_duration);
  out.queue_max = section.value<uint32_t>("queue_max", parse_integer);
  out.queue_timeout = section.value<Millis>("queue_timeout", parse_duration);
  out.connect_timeout = section.value<Millis>("connect_timeout", parse_duration);
  out.idle_timeout = section.value<Millis>("idle_timeout", parse_duration);
}

// The caller's token goes up: nothing but the gateway's side may have judged it, and nothing here
// may count on a token of the endpoint's own.
void check_forward(const Endpoint& endpoint, Problems& problems) {
  const Gateway& gateway = endpoint.gateway;
  if (gateway.credentials != GatewayCredentials::kForward) return;
  const std::vector<Authenticator>& links = endpoint.sessions.authenticators;
  if (links.size() != 1 || !std::holds_alternative<DelegatedSessions>(links.front())) {
    problems.error(gateway.credentials_place, "forward needs delegated as the only authenticator",
                   "remove the others: a token goes up only if that side has judged it");
  }
  if (gateway.pods.size() > 1) {
    problems.error(
        gateway.credentials_place, "forward takes one pod",
        "name the gateway's own address: its kernel ids do not say which pod holds them");
  }
  if (!gateway.token_file.empty()) {
    problems.error(gateway.token_place, "is not used: the caller's token goes up",
                   "remove it, or write credentials: own");
  }
  if (endpoint.notebook_sessions) {
    problems.error(
        gateway.credentials_place,
        "forward leaves kernel ids to the gateway, and notebook_sessions is made of ours",
        "remove notebook_sessions");
  }
  if (endpoint.quotas.kernels != 0) {
    problems.error(gateway.credentials_place,
                   "forward leaves nothing to count quotas.kernels with: each list is a caller's",
                   "remove quotas.kernels: a gateway that knows its callers counts for itself");
  }
}

void refuse(const Section& section, std::string_view name) {
  if (!section.has(name)) return;
  section.problems().error(section.place_of(name), "comes with the routes and pods, not from here",
                           "remove it");
}

// `claims` null: routes and pods come from elsewhere.
Endpoint read_one(const Section& section, const Files& files, RouteClaims* claims) {
  Endpoint out;
  out.place = section.place();
  out.id = section.value<std::string>("id", parse_endpoint_id);
  if (claims != nullptr && !out.id.empty()) claims->claim_id(out.id, section.place_of("id"));
  out.virtual_cluster = section.value<std::string>("virtual_cluster", parse_dns_label);
  out.execution_role_arn = section.value<std::string>("execution_role_arn", parse_role_arn);
  if (claims != nullptr) {
    read_route(section, *claims, out);
  } else {
    refuse(section, "hosts");
    refuse(section, "path_prefix");
  }
  out.strip_prefix = section.value<bool>("strip_prefix", parse_boolean);
  out.other_paths = section.value<OtherPaths>("other_paths", parse_other_paths);
  out.notebook_sessions = section.value<bool>("notebook_sessions", parse_boolean);
  for (Listed<std::string>& origin : section.values<std::string>("allowed_origins", parse_origin))
    out.allowed_origins.push_back(std::move(origin.value));
  for (Listed<Range>& range : section.values<Range>("allow_sources", parse_range))
    out.allow_sources.push_back(std::move(range.value));
  if (const auto gateway = section.map("gateway")) {
    if (claims != nullptr) {
      read_pods(*gateway, out.gateway.pods);
    } else {
      refuse(*gateway, "pods");
    }
    read_gateway(*gateway, files, out.gateway);
  }
  if (const auto sessions = section.map("sessions")) {
    out.sessions = read_sessions(*sessions, files);
    out.sharing = read_sharing(*sessions);
    read_policy(*sessions, out.policy);
  }
  out.kernels.foreign_ids = read_foreign_ids(section);
  if (const auto kernels = section.map("kernels")) {
    read_kernels(*kernels, out.kernels);
    out.specs = read_specs(*kernels);
  }
  if (const auto quotas = section.map("quotas")) out.quotas = read_quotas(*quotas);
  check_forward(out, section.problems());
  return out;
}

}  // namespace

Endpoint read_endpoint(const Section& section, const Files& files, RouteClaims& claims) {
  return read_one(section, files, &claims);
}

Endpoint read_lone_endpoint(const Section& section, const Files& files) {
  return read_one(section, files, nullptr);
}

}  // namespace kg::config
