#include "config/schema.h"

#include <algorithm>
#include <array>
#include <vector>

namespace kg::config {
namespace {

// Reasons end up in config/README.md as they stand here.
constexpr auto kSchema = std::to_array<KeyInfo>({
    {"workers", "integer or `auto`", "1 to 64", "auto",
     "Worker threads, each with its own event loop. `auto`: as many as the CPUs that the process "
     "may use."},
    {"listeners", "list of maps", "1 to 16 entries", "required", "Where clients connect."},
    {"listeners[].address", "IP:port", "port 0 to 65535", "required",
     "Numeric, so that nothing has to be resolved at start. IPv6 in brackets and quotes: "
     "`\"[::]:8443\"`. Port 0 takes any free port."},
    {"listeners[].tls", "map", "", "(defaults)", "Every listener speaks TLS."},
    {"listeners[].tls.certificates", "list of maps", "1 to 64 entries", "(self-signed)",
     "Chosen by the name that the client asks for (SNI). The first one also serves clients that "
     "ask for none, as every ALB does. Without any, one is made at start, in memory only, with a "
     "warning: an ALB does not validate it, everybody else does."},
    {"listeners[].tls.certificates[].certificate", "file", "PEM", "required",
     "The chain, leaf first."},
    {"listeners[].tls.certificates[].private_key", "file", "PEM", "required",
     "Its private key. A warning if everybody on the machine may read it."},
    {"listeners[].tls.client_certificates", "map", "", "(none)",
     "Asks clients for a certificate. Sessions are asked for all the same; its subject goes into "
     "the access log."},
    {"listeners[].tls.client_certificates.ca_file", "file", "PEM", "required",
     "The CAs that may have issued it."},
    {"listeners[].tls.client_certificates.mode", "word", "optional, required", "required",
     "`required`: no handshake without one. `optional`: a client may have none, but what it shows "
     "must be valid."},
    {"listeners[].trusted_proxies", "list of IP ranges", "0 to 256 entries", "(none)",
     "Peers whose `X-Forwarded-*` headers are believed: the ALB's subnets. Anybody else could "
     "claim any client address with them, so none by default."},
    {"listeners[].allow_sources", "list of IP ranges", "1 to 256 entries", "(all)",
     "Peers that may connect at all. All by default: sessions decide who may do what."},
    {"ticket_keys_file", "file", "1 to 16 keys", "(random)",
     "Seals the tickets with which clients resume TLS sessions, for two hours at most. Give all "
     "replicas the same file, so that clients may resume on any of them. The first key seals, all "
     "of them open. Without it each process has keys of its own, which change every 12 hours. A "
     "warning if everybody on the machine may read it."},
    {"alb", "map", "", "(defaults)", "The load balancer in front, if there is one."},
    {"alb.idle_timeout", "duration", "1s to 4000s", "60s",
     "The ALB's `idle_timeout.timeout_seconds`; 60 s is AWS's default. Keep-alive and pings derive "
     "from it. The ALB answers 504 when a kernel start is silent for longer, so raise both above "
     "`kernel_launch_timeout`."},
    {"timeouts", "map", "", "(defaults)",
     "How long the proxy waits for clients, and for an answer that it passes on to them."},
    {"timeouts.handshake", "duration", "100ms to 60s", "10s",
     "TLS handshake, from the accept on; then the connection closes. An ALB gives up after 10 s."},
    {"timeouts.request_head", "duration", "100ms to 10m", "30s",
     "A request's head, from its first byte to its last; then 408. It bounds clients that send "
     "byte by byte."},
    {"timeouts.request_body_idle", "duration", "100ms to 1h", "60s",
     "Silence inside a request body; then 408. Not counted while the proxy itself does not read."},
    {"timeouts.keep_alive", "duration", "100ms to 2h",
     "(alb.idle_timeout and a quarter, at least 15 s more)",
     "An open connection without a request; then it closes. Longer than the load balancer's, or "
     "its next request meets a closed connection and becomes a 502."},
    {"timeouts.write_stall", "duration", "100ms to 1h", "60s",
     "The client takes less than 32 KiB of an answer that waits for it; then the connection is "
     "cut. Open WebSockets are not cut: a slow notebook slows its own kernel only."},
    {"timeouts.response_idle", "duration", "100ms to 1h", "300s",
     "The gateway pauses inside an answer; then the connection is cut, which tells the client that "
     "the answer is not whole."},
    {"timeouts.first_byte", "map", "", "(defaults)",
     "From the request being sent to the first byte of the gateway's answer, by operation; then "
     "504. A kernel start waits for its `KERNEL_LAUNCH_TIMEOUT` and 10 s."},
    {"timeouts.first_byte.list", "duration", "100ms to 1h", "45s",
     "List, get and interrupt kernels, and kernel specs. Gateway clients give up at 42 s."},
    {"timeouts.first_byte.restart", "duration", "100ms to 1h", "(kernel_launch_timeout + 10s)",
     "Restart a kernel: it starts anew."},
    {"timeouts.first_byte.delete", "duration", "100ms to 1h", "120s",
     "Delete a kernel: the gateway waits for a running restart first."},
    {"timeouts.first_byte.upgrade", "duration", "100ms to 1h", "75s",
     "Open a kernel's WebSocket: a gateway holds its 101 for up to 60 s."},
    {"timeouts.first_byte.other", "duration", "100ms to 1h", "300s",
     "Paths that `other_paths: forward` lets pass."},
    {"limits", "map", "", "(defaults)",
     "What one client, and all of them together, may take. Each one that acts counts in "
     "`kernelgate_limits_hit_total`."},
    {"limits.uri_bytes", "size", "1KiB to 64KiB", "16KiB",
     "The request line; above it 414. An ALB passes 16 KiB."},
    {"limits.header_bytes", "size", "4KiB to 256KiB", "96KiB",
     "A request's whole head; above it 431. An ALB passes a request line of 16 KiB and 64 KiB of "
     "fields, one of them up to 16 KiB."},
    {"limits.header_count", "integer", "16 to 1000", "128",
     "Header fields; above it 431. Browsers send under 40."},
    {"limits.body_min_rate", "size", "0B to 1MiB", "500B",
     "Bytes per second that a request body must come with, averaged over "
     "`timeouts.request_body_idle`; then 408. `0B`: no limit."},
    {"limits.requests_per_connection", "integer", "1 to 1000000000", "100000",
     "The last one is answered with `Connection: close`, so that clients spread anew."},
    {"limits.connections", "integer", "1 to 1000000", "100000",
     "Client connections of the process; further ones are closed at once. Each takes about 15 KiB, "
     "and a WebSocket two descriptors."},
    {"limits.connections_per_worker", "integer", "1 to 1000000", "20000",
     "The same for each worker thread: what one CPU serves well."},
    {"limits.memory_bytes", "size", "16MiB to 1024GiB", "(80 % of the cgroup's memory.max, if any)",
     "Resident memory above which new work is turned away: new connections close, kernel starts, "
     "WebSockets and other bodies get 503. It ends below nine tenths of it."},
    {"limits.connections_per_address", "integer", "1 to 1000000", "1024",
     "The same for each peer address (IPv6: each /64): an office behind one address fits. Peers in "
     "`trusted_proxies` have no such bound."},
    {"limits.requests_per_client", "integer", "1 to 1000000", "1024",
     "Requests and open WebSockets at a time of each client that a trusted proxy names last in "
     "`X-Forwarded-For`; then 429 with `Retry-After`."},
    {"websocket", "map", "", "(defaults)", "Open WebSockets: what may be silent or large."},
    {"websocket.ping_after", "duration", "100ms to 1h", "25s",
     "A side that says nothing for so long gets a ping, unless one of the other end waits for its "
     "answer. At most half of `alb.idle_timeout` is used: a load balancer cuts what is silent."},
    {"websocket.client_dead_after", "duration", "200ms to 24h", "75s",
     "A client that neither says nor takes anything for so long, in spite of a ping, is dead: the "
     "gateway's side ends with 1001. Not counted while the proxy does not read it. A laptop that "
     "slept reconnects."},
    {"websocket.gateway_dead_after", "duration", "200ms to 24h", "150s",
     "The same for the gateway: the client gets 1011. Longer, because a gateway may stand still "
     "for 60 s by itself."},
    {"websocket.message_bytes_max", "size or `none`", "1KiB to 1024GiB", "none",
     "Payload of one message in all its frames, as on the wire. A larger one is not passed on: its "
     "sender gets 1009 and both sides end. None by default: messages stream and are never held."},
    {"monitoring", "map", "", "(defaults)",
     "The plain HTTP address of `/healthz`, `/readyz` and `/metrics`."},
    {"monitoring.address", "IP:port", "port 0 to 65535", "127.0.0.1:9902",
     "Read-only and without authentication, therefore on loopback unless you decide otherwise. A "
     "kubelet or a Prometheus elsewhere needs `0.0.0.0:9902`."},
    {"access_log", "map", "", "(defaults)", "One JSON line for each exchange; never a token."},
    {"access_log.path", "file, `stdout` or `off`", "", "stdout",
     "Containers collect standard output. A file is reopened on SIGUSR1, for rotation."},
    {"drain", "map", "", "(defaults)", "What happens after SIGTERM."},
    {"drain.lame_duck", "duration", "0s to 1h", "25s",
     "New connections are served on for this long, with `/readyz` at 503: a load balancer goes on "
     "sending for some seconds after it was told."},
    {"drain.deadline", "duration", "0s to 24h", "10m",
     "By then, counted from the end of lame_duck, the last WebSocket is closed with 1012. Keep the "
     "sum of both below the pod's `terminationGracePeriodSeconds`."},
    {"metrics", "map", "", "(defaults)", "Bounds of what is counted."},
    {"metrics.endpoints_max", "integer", "0 to 10000", "500",
     "So many endpoints have counters of their own, the rest counts as `other`: every one costs "
     "time series in Prometheus."},
    {"endpoints", "list of maps", "1 to 10000 entries", "required",
     "The interactive endpoints behind this proxy."},
    {"endpoints[].id", "word", "`[0-9a-z]`, 64 bytes", "required",
     "The endpoint's id at EMR on EKS, or a name of your choice; session tokens name it in their "
     "`endpoint` claim."},
    {"endpoints[].virtual_cluster", "DNS label", "63 bytes", "default",
     "The Kubernetes namespace of the gateway; a label of metrics and log lines."},
    {"endpoints[].execution_role_arn", "ARN", "", "(none)",
     "A token with a `role` claim must name this role. Without it the claim is not looked at."},
    {"endpoints[].hosts", "list of host names", "1 to 64 entries", "(any host)",
     "Lower case, no port (ports in requests are ignored). A listed host wins over endpoints "
     "without hosts."},
    {"endpoints[].path_prefix", "path", "256 bytes", "(none)",
     "`/abc123`, lower case; among the endpoints of one host the longest prefix wins. Hosts, "
     "prefix or both must be given."},
    {"endpoints[].strip_prefix", "boolean", "true, false", "true",
     "Remove the prefix before the request goes to the gateway. `false` for a gateway with a base "
     "URL of its own (`EG_BASE_URL`)."},
    {"endpoints[].other_paths", "word", "deny, forward", "deny",
     "Requests that are no kernel operation: refuse them, or `forward` them by path, authenticated "
     "but without kernel rules. Form bodies are refused (415) either way: a gateway would look for "
     "a token in them."},
    {"endpoints[].gateway", "map", "", "required",
     "The Jupyter Enterprise Gateway of the endpoint."},
    {"endpoints[].gateway.pods", "list of maps", "exactly 1", "required",
     "The gateway's only pod. A second one would need to know which kernel lives where: a gateway "
     "that is asked for another one's kernel deletes its record."},
    {"endpoints[].gateway.pods[].name", "DNS name", "253 bytes", "(its address)", "For log lines."},
    {"endpoints[].gateway.pods[].address", "IP:port", "port 1 to 65535", "required",
     "Where it listens."},
    {"endpoints[].gateway.credentials", "word", "own", "own",
     "Whose token goes to the gateway: `own` is the endpoint's, from `token_file`. The client's "
     "stops at the proxy."},
    {"endpoints[].gateway.token_file", "file", "one line", "(none)",
     "The gateway's `auth_token`. None for a gateway without one; then nothing but network policy "
     "protects it. A warning if everybody on the machine may read it."},
    {"endpoints[].gateway.kernel_launch_timeout", "duration", "1s to 400s", "400s",
     "How long a kernel start may take when its request does not say (`KERNEL_LAUNCH_TIMEOUT`). "
     "400 s is EMR's maximum."},
    {"endpoints[].gateway.connections_max", "integer", "1 to 65536", "256",
     "Requests in flight to the pod, from each worker; an open WebSocket is none. More of them "
     "wait in the queue. It keeps a slow gateway from taking every connection of the proxy."},
    {"endpoints[].gateway.queue_max", "integer", "0 to 65536", "1024",
     "Requests that wait for one of `connections_max`, for each worker, 45 s at most. What "
     "does not fit is answered 503 with `Retry-After` at once."},
    {"endpoints[].gateway.connect_timeout", "duration", "100ms to 60s", "5s",
     "For a connection to the pod to stand. A pod in the same cluster accepts in milliseconds "
     "or not at all."},
    {"endpoints[].gateway.idle_timeout", "duration", "1s to 1h", "300s",
     "An unused connection to the pod is kept for so long. Keep it below the gateway's own "
     "limit (3600 s), or requests meet closed connections."},
    {"endpoints[].gateway.tls", "map", "", "(plain HTTP)",
     "Reach the pod by TLS 1.2 or 1.3 and verify its certificate. `{}` verifies with the "
     "defaults below."},
    {"endpoints[].gateway.tls.ca_file", "file", "PEM", "(the system's)",
     "Who may sign the pod's certificate: usually a CA inside the cluster. A certificate that "
     "does not verify is answered 502, `upstream_tls`; it is never ignored."},
    {"endpoints[].gateway.tls.server_name", "host name", "", "(the pod's address)",
     "The name that the pod's certificate must hold, also sent as SNI. Without it the "
     "certificate must hold the pod's IP address."},
    {"endpoints[].gateway.tls.client_certificate", "map", "", "(none)",
     "What the proxy shows to a gateway that asks for a certificate."},
    {"endpoints[].gateway.tls.client_certificate.certificate", "file", "PEM", "required",
     "The chain, leaf first."},
    {"endpoints[].gateway.tls.client_certificate.private_key", "file", "PEM", "required",
     "Its private key. A warning if everybody on the machine may read it."},
    {"endpoints[].gateway.health_check", "map or `off`", "", "(defaults)",
     "Ask the pod at intervals whether it answers: GET with the gateway's token, healthy is "
     "200. One check for each pod, however many workers. An endpoint's only pod is used "
     "whatever the checks say: they show in `kernelgate_pod_healthy` and, at changes, in the "
     "log."},
    {"endpoints[].gateway.health_check.path", "path", "256 bytes", "/api",
     "What every Jupyter gateway answers without work."},
    {"endpoints[].gateway.health_check.interval", "duration", "100ms to 1h", "5s",
     "From the end of one check to the next, give or take a tenth."},
    {"endpoints[].gateway.health_check.timeout", "duration", "50ms to 60s", "2s",
     "For connection and answer. A gateway that starts a kernel may hold up its other answers "
     "for a while: `unhealthy_after` forgives that."},
    {"endpoints[].gateway.health_check.unhealthy_after", "integer", "1 to 100", "3",
     "So many failed checks in a row make a pod unhealthy."},
    {"endpoints[].gateway.health_check.healthy_after", "integer", "1 to 100", "2",
     "So many passed ones make it healthy again."},
    {"endpoints[].sessions", "map", "", "required", "Who is let in."},
    {"endpoints[].sessions.jwt", "map", "", "required", "Sessions are signed tokens (JWT)."},
    {"endpoints[].sessions.jwt.realm", "text", "", "(the issuer)",
     "The name of this population of users: equal subjects of two realms are two people."},
    {"endpoints[].sessions.jwt.issuer", "text", "", "required", "The `iss` claim must equal it."},
    {"endpoints[].sessions.jwt.audience", "text", "", "required",
     "The `aud` claim must be or hold it, so that tokens for other services do not work here."},
    {"endpoints[].sessions.jwt.keys_file", "file", "JWK Set or PEM", "required",
     "The public keys that may sign sessions."},
    {"endpoints[].sessions.jwt.algorithms", "list of words", "1 to 3 entries",
     "(those that the keys name)",
     "Narrows down what may sign, out of ES256, RS256 and EdDSA. `none` and the HMAC family are "
     "never accepted."},
});

constexpr std::string_view kOtherTlsKeys = "listeners[].tls.*";
constexpr auto kLaterKeys = std::to_array<LaterKey>({
    {"state_dir", "remove it: nothing is kept on disk"},
    {"admin", "remove it: monitoring.address serves health and metrics"},
    {"kernel_ids", "remove it: kernel ids are the gateway's own"},
    {"listeners[].alpn", "remove it: http/1.1 is offered"},
    {kOtherTlsKeys, "remove it: TLS 1.2 and 1.3 with OpenSSL's own choice of ciphers"},
    {"endpoints[].foreign_ids", "remove it: every kernel id goes to the endpoint's only pod"},
    {"endpoints[].gateway.pods[].service",
     "remove it, and give address: the numeric IP:port of the only pod"},
    {"endpoints[].gateway.replication", "remove it: an endpoint has one pod"},
    {"endpoints[].gateway.gone_after", "remove it: an endpoint has one pod"},
    {"endpoints[].sessions.allow",
     "remove it: a token must name the endpoint in its endpoint claim"},
    {"endpoints[].sessions.on_expiry", "remove it"},
    {"endpoints[].sessions.expiry_grace", "remove it"},
    {"endpoints[].sessions.sharing",
     "remove it: every session of an endpoint may use all of its kernels"},
});

std::string_view parent_of(std::string_view path) noexcept {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view name_of(std::string_view path) noexcept {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::span<const KeyInfo> schema() noexcept { return kSchema; }

std::span<const LaterKey> later_keys() noexcept { return kLaterKeys; }

const KeyInfo* find_key(std::string_view path) noexcept {
  for (const KeyInfo& info : kSchema) {
    if (info.path == path) return &info;
  }
  return nullptr;
}

const LaterKey* find_later_key(std::string_view path) noexcept {
  for (const LaterKey& later : kLaterKeys) {
    const bool is_other_tls_key =
        later.path == kOtherTlsKeys && parent_of(path) == parent_of(kOtherTlsKeys);
    if (later.path == path || is_other_tls_key) return &later;
  }
  return nullptr;
}

std::string_view nearest_key(std::string_view parent, std::string_view key) {
  constexpr size_t kLengthMax = 40;  // longer than any key and its typing errors
  std::string_view nearest;
  size_t nearest_distance = std::min<size_t>(2, key.size() / 2) + 1;
  if (key.size() > kLengthMax) return nearest;
  for (const KeyInfo& info : kSchema) {
    if (parent_of(info.path) != parent) continue;
    const size_t distance = edit_distance(key, name_of(info.path));
    if (distance >= nearest_distance) continue;
    nearest = name_of(info.path);
    nearest_distance = distance;
  }
  return nearest;
}

std::string_view only_home_of(std::string_view key) noexcept {
  std::string_view home;
  for (const KeyInfo& info : kSchema) {
    if (name_of(info.path) != key) continue;
    if (!home.empty()) return {};
    home = parent_of(info.path);
  }
  return home;
}

std::string keys_of(std::string_view parent) {
  std::string out;
  for (const KeyInfo& info : kSchema) {
    if (parent_of(info.path) != parent) continue;
    out += out.empty() ? "" : ", ";
    out += name_of(info.path);
  }
  return out;
}

}  // namespace kg::config
