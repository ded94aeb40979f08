#include "config/schema.h"

#include <array>

#include "config/feed_schema.h"
#include "config/gateway_schema.h"
#include "config/nearest.h"
#include "config/policy_schema.h"
#include "config/service_schema.h"
#include "config/session_schema.h"

namespace kg::config {
namespace {

// Reasons end up in config/README.md as they stand here.
constexpr auto kCoreKeys = std::to_array<KeyInfo>({
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
     "warning: an ALB does not validate it, everybody else does. Beside these serve the ones that "
     "controllers announce (`feed`)."},
    {"listeners[].tls.certificates[].certificate", "file", "PEM", "required",
     "The chain, leaf first."},
    {"listeners[].tls.certificates[].private_key", "file", "PEM", "required",
     "Its private key. A warning if everybody on the machine may read it."},
    {"listeners[].tls.client_certificates", "map", "", "(none)",
     "Asks clients for a certificate. It is a session only where an endpoint says so "
     "(`authenticators[].client_certificate`); its subject goes into the access log."},
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
    {"kernel_ids", "map", "", "(defaults)",
     "Ids of kernels are made by the proxy and say whose kernel it is, so that every replica knows "
     "without asking."},
    {"kernel_ids.keys_file", "file", "1 to 8 keys", "(one of its own)",
     "The keys that make and check them; all replicas need the same file. Without it one is made "
     "and kept in `state_dir`, else in memory. A warning if everybody on the machine may read it."},
    {"state_dir", "folder", "", "(none)",
     "Where the proxy keeps what it makes for itself: `kernel-id-keys`, mode 0600, and `cordons`. "
     "Without it, or where it cannot be written, a restart makes all present kernels foreign, and "
     "opens the pods that were closed for new ones."},
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
     "504."},
    {"timeouts.first_byte.launch_margin", "duration", "100ms to 1h", "10s",
     "Start a kernel: this and its `KERNEL_LAUNCH_TIMEOUT`."},
    {"timeouts.first_byte.list", "duration", "100ms to 1h", "45s",
     "List, get and interrupt kernels, and kernel specs. Gateway clients give up at 42 s."},
    {"timeouts.first_byte.restart", "duration", "100ms to 1h",
     "(kernel_launch_timeout + launch_margin)", "Restart a kernel: it starts anew."},
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
    {"websocket.kernel_activity", "word", "on, off", "on",
     "Reads from the heads of kernel messages what kernels do, for metrics, the admin address and "
     "a "
     "drain that lets running cells end. Off: nobody knows, and a drain takes every kernel for "
     "busy."},
    {"monitoring", "map", "", "(defaults)",
     "The plain HTTP address of `/healthz`, `/readyz` and `/metrics`."},
    {"monitoring.address", "IP:port", "port 0 to 65535", "127.0.0.1:9902",
     "Read-only and without authentication, therefore on loopback unless you decide otherwise. A "
     "kubelet or a Prometheus elsewhere needs `0.0.0.0:9902`."},
    {"admin", "map", "", "(none)",
     "The plain HTTP address where operators revoke sessions, see open ones and what their kernels "
     "are doing, and close pods for new kernels. None by default."},
    {"admin.address", "IP:port", "port 0 to 65535", "127.0.0.1:9901",
     "Plain HTTP carries the token below, therefore on loopback unless you decide otherwise."},
    {"admin.token_file", "file", "one line, 16 to 1024 bytes", "required",
     "Who calls must send its content as `Authorization: Bearer`. A warning if everybody on the "
     "machine may read it."},
    {"revocations_file", "file", "JSON, one object a line", "(none)",
     "Sessions that count no more: by token id, session, subject or endpoint (`auth/README.md`). "
     "Looked at every 2 s. Give it to all replicas; what an admin call revokes they learn by a "
     "`feed`."},
    {"access_log", "map", "", "(defaults)", "One JSON line for each exchange; never a token."},
    {"access_log.path", "file, `stdout` or `off`", "", "stdout",
     "Containers collect standard output. A file is reopened on SIGUSR1, for rotation."},
    {"audit_log", "map", "", "(defaults)",
     "One JSON line for each refusal (401, 403), change of a kernel, ended session and use of a "
     "support role, apart from the access log; never a token."},
    {"audit_log.path", "file, `stdout` or `off`", "", "off",
     "Off until somebody says where it is kept. A file is reopened on SIGUSR1. The access log's "
     "own "
     "path may be given: then both share it, and `event` tells the lines apart."},
    {"audit_log.subjects", "word", "clear, hashed, off", "clear",
     "Users by name, by HMAC-SHA-256 of realm and name, or not at all."},
    {"audit_log.hash_key_file", "file", "at least 32 bytes", "(random)",
     "The key of `hashed`. Without it each process has one of its own, so that hashes of two "
     "replicas, or before and after a restart, say nothing of each other. A warning if everybody "
     "on the machine may read it."},
    {"drain", "map", "", "(defaults)", "What happens after SIGTERM."},
    {"drain.lame_duck", "duration", "0s to 1h", "25s",
     "New connections are served on for this long, with `/readyz` at 503: a load balancer goes on "
     "sending for some seconds after it was told."},
    {"drain.deadline", "duration", "0s to 24h", "10m",
     "Counted from the end of lame_duck. WebSockets whose kernels do nothing are closed at once "
     "with 1012, spread over 30 s or half of it; those with a running cell when it ends, the last "
     "ones spread over 10 s before the deadline. Keep the sum of both below the pod's "
     "`terminationGracePeriodSeconds`."},
    {"metrics", "map", "", "(defaults)", "Bounds of what is counted."},
    {"metrics.endpoints_max", "integer", "0 to 10000", "500",
     "So many endpoints have counters of their own, the rest counts as `other`: every one costs "
     "time series in Prometheus."},
    {"endpoints", "list of maps", "1 to 10000 entries", "(none)",
     "The interactive endpoints behind this proxy. Required without a `feed`."},
    {"endpoints[].id", "word", "`[0-9a-z]`, 64 bytes", "required",
     "The endpoint's id at EMR on EKS, or a name of your choice; session tokens name it in their "
     "`endpoint` claim."},
    {"endpoints[].virtual_cluster", "DNS label", "63 bytes", "default",
     "The Kubernetes namespace of the gateway; a label of metrics and log lines."},
    {"endpoints[].execution_role_arn", "ARN", "", "(none)",
     "A token with a `role` claim must name this role. Without it the claim is not looked at."},
    {"endpoints[].hosts", "list of host names", "1 to 64 entries", "(any host)",
     "Lower case, no port (ports in requests are ignored). `*.example.com` is any one label before "
     "`example.com`, for hosts that no endpoint lists. A listed host wins over endpoints without "
     "hosts."},
    {"endpoints[].path_prefix", "path", "256 bytes", "(none)",
     "`/abc123`, lower case; among the endpoints of one host the longest prefix wins. Hosts, "
     "prefix or both must be given."},
    {"endpoints[].strip_prefix", "boolean", "true, false", "true",
     "Remove the prefix before the request goes to the gateway. `false` for a gateway with a base "
     "URL of its own (`EG_BASE_URL`)."},
    {"endpoints[].notebook_sessions", "boolean", "true, false", "false",
     "Answer the session API of Jupyter servers (`/api/sessions`, `/api`) for clients that have "
     "no server of their own: JupyterLab and VS Code with a remote server. Kernels are started, "
     "owned and placed as ever. What a session is called is known to the proxy that was told, "
     "until it ends: another replica, or the next process, shows the session's id for a path, and "
     "JupyterLab takes that for a renaming. So such clients must stay with one replica. Not with "
     "`credentials: forward`."},
    {"endpoints[].other_paths", "word", "deny, forward", "deny",
     "Requests that are no kernel operation: refuse them, or `forward` them by path, authenticated "
     "but without kernel rules; never `/api/sessions`, where gateways start kernels that are "
     "nobody's. Form bodies are refused (415) either way: a gateway would look for a token in "
     "them."},
    {"endpoints[].allowed_origins", "list of origins", "0 to 64 entries", "(none)",
     "Pages of other origins that may use the endpoint, as browsers write them: "
     "`https://lab.example.com`. Their preflights are answered here and they may read answers. "
     "Where the browser adds the credential itself (cookie, load balancer, client certificate), "
     "pages of unlisted origins may neither open WebSockets nor change anything (403)."},
    {"endpoints[].allow_sources", "list of IP ranges", "1 to 256 entries", "(all)",
     "Clients that may use the endpoint at all, by address: the peer's, or of a trusted proxy's "
     "requests the one that it names last in `X-Forwarded-For`. Others get 403 whatever session "
     "they have. WebSockets that are open stay when the list changes."},
    {"endpoints[].foreign_ids", "word", "deny, endpoint", "deny",
     "A kernel id that was not made here: for nobody (404), or for everybody of the endpoint, to "
     "move in with kernels that are running. Ids made here are their owner's in both cases."},
    {"endpoints[].kernels", "map", "", "(defaults)",
     "What a kernel start may say. Of its body only `name` and `env` go to the gateway."},
    {"endpoints[].kernels.env", "map", "", "(defaults)",
     "The variables in its `env`. `KERNEL_USERNAME` is always the verified subject and `KERNEL_ID` "
     "made here. What is in neither list is dropped and named in the access log (`dropped_env`): "
     "stock clients send much that gateways do not need."},
    {"endpoints[].kernels.env.pass", "list of names", "0 to 64 entries",
     "(KERNEL_LAUNCH_TIMEOUT, KERNEL_WORKING_DIR, KERNEL_LANGUAGE)",
     "Go up, as texts of at most 4096 bytes without `$`, backtick and control characters. Gateways "
     "hand them to shells and templates."},
    {"endpoints[].kernels.env.deny", "list of names", "0 to 64 entries",
     "(KERNEL_NAMESPACE, KERNEL_SERVICE_ACCOUNT_NAME, KERNEL_IMAGE, KERNEL_EXECUTOR_IMAGE, "
     "KERNEL_UID, KERNEL_GID, KERNEL_VOLUMES, KERNEL_VOLUME_MOUNTS, KERNEL_POD_NAME)",
     "Refused with 403 and the name: a kernel that silently ran elsewhere than its user asked "
     "would be worse. Gateways take them from anybody."},
    {"endpoints[].kernels.spark_conf", "list of names", "0 to 64 entries", "(none)",
     "Lets `KERNEL_EXTRA_SPARK_OPTS` pass if it holds nothing but `--conf KEY=VALUE` with these "
     "keys, whole, and values that no shell reads; else 403. Without it the variable is dropped."},
});

template <size_t First, size_t Then>
constexpr auto joined(const std::array<KeyInfo, First>& first,
                      const std::array<KeyInfo, Then>& then) {
  std::array<KeyInfo, First + Then> all{};
  std::copy(then.begin(), then.end(), std::copy(first.begin(), first.end(), all.begin()));
  return all;
}
constexpr auto kSchema =
    joined(joined(joined(joined(joined(kCoreKeys, kGatewayKeys), kSessionKeys), kServiceKeys),
                  kPolicyKeys),
           kFeedKeys);

constexpr std::string_view kOtherTlsKeys = "listeners[].tls.*";
constexpr auto kLaterKeys = std::to_array<LaterKey>({
    {"listeners[].alpn", "remove it: http/1.1 is offered"},
    {kOtherTlsKeys, "remove it: TLS 1.2 and 1.3 with OpenSSL's own choice of ciphers"},
    {"endpoints[].gateway.pods[].service",
     "remove it, and give address: the numeric IP:port of each pod"},
});

std::string_view parent_of(std::string_view path) noexcept {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view name_of(std::string_view path) noexcept {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
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
  Nearest nearest(key);
  for (const KeyInfo& info : kSchema) {
    if (parent_of(info.path) == parent) nearest.offer(name_of(info.path));
  }
  return nearest.found();
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
