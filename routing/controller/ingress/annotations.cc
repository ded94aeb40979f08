#include "routing/controller/ingress/annotations.h"

#include <algorithm>
#include <array>

#include "config/nearest.h"

namespace kg::ingress {
namespace {

using enum ValueKind;

constexpr auto kAnnotations = std::to_array<AnnotationInfo>({
    {"endpoint-id", kOther, "id", "", ""},
    {"execution-role", kText, "execution_role_arn", "", ""},
    {"strip-prefix", kText, "strip_prefix", "", ""},
    {"notebook-sessions", kText, "notebook_sessions", "", ""},
    {"other-paths", kText, "other_paths", "", ""},
    {"allowed-origins", kList, "allowed_origins", "", ""},
    {"allow-sources", kList, "allow_sources", "", ""},
    {"foreign-ids", kText, "foreign_ids", "", ""},
    // Who is let in.
    {"issuer", kText, "sessions.jwt.issuer", "", ""},
    {"audience", kText, "sessions.jwt.audience", "", ""},
    {"jwks-url", kText, "sessions.jwt.keys_url", "", ""},
    {"jwks-ca-secret", kSecret, "sessions.jwt.ca_file", "ca.crt", "jwks-ca"},
    {"jwks-refresh", kText, "sessions.jwt.keys_refresh", "", ""},
    {"jwks-stale", kText, "sessions.jwt.keys_stale", "", ""},
    {"session-keys-secret", kSecret, "sessions.jwt.keys_file", "jwks.json", "session-keys"},
    {"realm", kText, "sessions.jwt.realm", "", ""},
    {"algorithms", kList, "sessions.jwt.algorithms", "", ""},
    {"subject-claim", kText, "sessions.jwt.subject_claim", "", ""},
    {"endpoint-claim", kText, "sessions.jwt.endpoint_claim", "", ""},
    {"groups-claim", kText, "sessions.jwt.groups_claim", "", ""},
    {"virtual-cluster-claim", kText, "sessions.jwt.virtual_cluster_claim", "", ""},
    {"sessions-by-gateway", kOther, "sessions.authenticators[].delegated.gateway", "", ""},
    {"session-cookie", kText, "sessions.cookie", "", ""},
    {"sharing", kText, "sessions.sharing", "", ""},
    {"on-expiry", kText, "sessions.on_expiry", "", ""},
    {"expiry-grace", kText, "sessions.expiry_grace", "", ""},
    {"max-lifetime", kText, "sessions.max_lifetime", "", ""},
    {"allow-realms", kList, "sessions.allow.realms", "", ""},
    {"allow-subjects", kList, "sessions.allow.subjects", "", ""},
    {"allow-groups", kList, "sessions.allow.groups", "", ""},
    {"support-realms", kList, "sessions.support.realms", "", ""},
    {"support-subjects", kList, "sessions.support.subjects", "", ""},
    {"support-groups", kList, "sessions.support.groups", "", ""},
    // What they may do.
    {"kernel-specs", kList, "kernels.specs", "", ""},
    {"kernel-env-pass", kList, "kernels.env.pass", "", ""},
    {"kernel-env-deny", kList, "kernels.env.deny", "", ""},
    {"spark-conf", kList, "kernels.spark_conf", "", ""},
    {"quota-websockets", kText, "quotas.websockets", "", ""},
    {"quota-launches", kText, "quotas.launches", "", ""},
    {"quota-kernels", kText, "quotas.kernels", "", ""},
    {"quota-requests-per-second", kText, "quotas.requests_per_second", "", ""},
    {"quota-request-burst", kText, "quotas.request_burst", "", ""},
    // The gateway.
    {"gateway-token-secret", kSecret, "gateway.token_file", "token", ""},
    {"gateway-credentials", kText, "gateway.credentials", "", ""},
    {"gateway-scheme", kOther, "gateway.tls", "", ""},
    {"gateway-ca-secret", kSecret, "gateway.tls.ca_file", "ca.crt", "gateway-ca"},
    {"gateway-server-name", kText, "gateway.tls.server_name", "", ""},
    {"gateway-client-secret", kOther, "gateway.tls.client_certificate", "", ""},
    {"replication", kText, "gateway.replication", "", ""},
    {"cordoned-pods", kOther, "pods that take no new kernels", "", ""},
    {"gone-after", kText, "gateway.gone_after", "", ""},
    {"list-stale-for", kText, "gateway.list_stale_for", "", ""},
    {"launch-timeout", kText, "gateway.kernel_launch_timeout", "", ""},
    {"launches-max", kText, "gateway.launches_max", "", ""},
    {"launch-queue-max", kText, "gateway.launch_queue_max", "", ""},
    {"connections-max", kText, "gateway.connections_max", "", ""},
    {"queue-max", kText, "gateway.queue_max", "", ""},
    {"queue-timeout", kText, "gateway.queue_timeout", "", ""},
    {"connect-timeout", kText, "gateway.connect_timeout", "", ""},
    {"idle-timeout", kText, "gateway.idle_timeout", "", ""},
    {"websocket-reconnect", kText, "gateway.websocket_reconnect", "", ""},
    {"health-check-path", kText, "gateway.health_check.path", "", ""},
    {"health-check-interval", kText, "gateway.health_check.interval", "", ""},
    {"health-check-timeout", kText, "gateway.health_check.timeout", "", ""},
    {"unhealthy-after", kText, "gateway.health_check.unhealthy_after", "", ""},
    {"healthy-after", kText, "gateway.health_check.healthy_after", "", ""},
    {"census", kText, "gateway.census", "", ""},
    {"subject-header", kText, "gateway.identity_headers.subject", "", ""},
    {"realm-header", kText, "gateway.identity_headers.realm", "", ""},
    {"groups-header", kText, "gateway.identity_headers.groups", "", ""},
    {"role-header", kText, "gateway.identity_headers.role", "", ""},
});

constexpr auto kNginx = std::to_array<NginxInfo>({
    {"proxy-read-timeout", "gateway.kernel_launch_timeout",
     "Whole seconds. What is silent for so long at a gateway is a kernel start; at most 400."},
    {"backend-protocol", "gateway.tls", "`HTTP` or `HTTPS`, as `gateway-scheme`."},
    {"limit-connections", "quotas.websockets",
     "Counted for each user instead of each address: users of one Jupyter server share that."},
    {"proxy-ssl-secret", "gateway.tls.client_certificate",
     "`NAMESPACE/NAME`, the Ingress's own namespace; its `ca.crt` becomes `gateway.tls.ca_file`."},
    {"whitelist-source-range", "allow_sources", "Whom the proxy's `trusted_proxies` name counts."},
    {"allowlist-source-range", "allow_sources", "The same by its newer name."},
});

bool is_below(std::string_view path, std::string_view above) {
  return path.starts_with(above) && path.size() > above.size() &&
         (path[above.size()] == '.' || path[above.size()] == '[');
}

}  // namespace

std::span<const AnnotationInfo> annotations() noexcept { return kAnnotations; }

std::span<const NginxInfo> nginx_annotations() noexcept { return kNginx; }

const AnnotationInfo* find_annotation(std::string_view name) noexcept {
  const auto found = std::ranges::find(kAnnotations, name, &AnnotationInfo::name);
  return found == kAnnotations.end() ? nullptr : &*found;
}

const AnnotationInfo* annotation_of_path(std::string_view path) noexcept {
  for (const AnnotationInfo& info : kAnnotations) {
    if (info.path == path) return &info;
  }
  for (const AnnotationInfo& info : kAnnotations) {
    if (is_below(path, info.path)) return &info;
  }
  return nullptr;
}

std::string nearest_annotation(std::string_view name) {
  config::Nearest nearest(name);
  for (const AnnotationInfo& info : kAnnotations) nearest.offer(info.name);
  return std::string(nearest.found());
}

}  // namespace kg::ingress
