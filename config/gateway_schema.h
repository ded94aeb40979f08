// The rows of config/schema.cc about an endpoint's gateway, in its form and order.
#pragma once

#include <array>

#include "config/schema.h"

namespace kg::config {

inline constexpr auto kGatewayKeys = std::to_array<KeyInfo>({
    {"endpoints[].gateway", "map", "", "required",
     "The Jupyter Enterprise Gateway of the endpoint."},
    {"endpoints[].gateway.pods", "list of maps", "1 to 64 entries", "required",
     "The gateway's replicas. A kernel lives in the memory of one of them, and its id names that "
     "one: all proxies that share `kernel_ids.keys_file` agree without a table."},
    {"endpoints[].gateway.pods[].name", "DNS name", "253 bytes", "(its address)",
     "Stands as a tag of 24 bits in the ids of its kernels: a pod that comes back with the same "
     "name has the same kernels. Of two pods with equal tags the later takes no new kernels."},
    {"endpoints[].gateway.pods[].address", "IP:port", "port 1 to 65535", "required",
     "Where it listens."},
    {"endpoints[].gateway.replication", "boolean", "true, false", "false",
     "The gateways share their sessions (`EG_AVAILABILITY_MODE=replication`, and persistence): a "
     "pod can load a kernel that another one made. Without it the kernels of a pod that is gone "
     "are gone too."},
    {"endpoints[].gateway.gone_after", "duration", "1s to 1h", "10s",
     "A pod that has failed its health checks for so long is gone, and with `replication` its "
     "kernels move to the others. Until then they are answered by errors that clients retry: a "
     "kernel that two gateways hold answers wrongly."},
    {"endpoints[].gateway.list_stale_for", "duration", "0s to 1h", "60s",
     "A pod that fails to list its kernels is listed by its last list for so long; then lists of "
     "the endpoint are answered 503, which clients retry. A list that lacks a pod would look to "
     "them as if its kernels had been culled. 0s shows nothing old."},
    {"endpoints[].gateway.credentials", "word", "own, forward", "own",
     "Whose token goes to the gateway: `own` is the endpoint's, from `token_file`, and the "
     "client's "
     "stops at the proxy. `forward` is the caller's, for managed endpoints that know each caller "
     "and show him his kernels only: kernel ids and owners are then the gateway's affair. Only "
     "with `delegated` as the one authenticator."},
    {"endpoints[].gateway.token_file", "file", "one line", "(none)",
     "The gateway's `auth_token`. None for a gateway without one; then nothing but network policy "
     "protects it. A warning if everybody on the machine may read it."},
    {"endpoints[].gateway.kernel_launch_timeout", "duration", "1s to 400s", "400s",
     "How long a kernel start may take when its request does not say (`KERNEL_LAUNCH_TIMEOUT`). "
     "400 s is EMR's maximum."},
    {"endpoints[].gateway.launches_max", "integer", "1 to 10000", "16",
     "Kernels that start at a time on each pod, of all users; the others wait, user by user in "
     "turn. A gateway that starts thirty at once lets most of them fail. Counted by each replica "
     "of the proxy for itself."},
    {"endpoints[].gateway.launch_queue_max", "integer", "0 to 100000", "256",
     "Kernel starts that wait for that, each at most as long as its `KERNEL_LAUNCH_TIMEOUT`; then "
     "503 with `Retry-After`."},
    {"endpoints[].gateway.connections_max", "integer", "1 to 65536", "256",
     "Requests in flight to the pod, from each worker; an open WebSocket is none. More of them "
     "wait in the queue. It keeps a slow gateway from taking every connection of the proxy."},
    {"endpoints[].gateway.queue_max", "integer", "0 to 65536", "1024",
     "Requests that wait for one of `connections_max`, for each worker. What "
     "does not fit is answered 503 with `Retry-After` at once."},
    {"endpoints[].gateway.queue_timeout", "duration", "100ms to 1h", "45s",
     "The longest wait in that queue; then 503. Gateway clients give up at 42 s."},
    {"endpoints[].gateway.connect_timeout", "duration", "100ms to 60s", "5s",
     "For a connection to the pod to stand. A pod in the same cluster accepts in milliseconds "
     "or not at all."},
    {"endpoints[].gateway.idle_timeout", "duration", "1s to 1h", "300s",
     "An unused connection to the pod is kept for so long. Keep it below the gateway's own "
     "limit (3600 s), or requests meet closed connections."},
    {"endpoints[].gateway.websocket_reconnect", "duration or `off`", "100ms to 5m", "10s",
     "A connection to the pod that is lost under an open WebSocket is made anew for so long, while "
     "the client's stays open and what it says waits; with `replication` to another pod, if this "
     "one is gone (`gone_after`) before the time is over. Then, and where a message was cut, 1012. "
     "`off` closes with 1011 at once."},
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
     "200. One check for each pod, however many workers. A pod that fails them takes no new "
     "kernels and keeps its own; an endpoint's only pod is used whatever they say. They show in "
     "`kernelgate_pod_healthy` and, at changes, in the log. With `off` no pod is ever gone."},
    {"endpoints[].gateway.health_check.path", "path", "256 bytes", "/api",
     "What every Jupyter gateway answers without work."},
    {"endpoints[].gateway.health_check.interval", "duration", "100ms to 1h", "5s",
     "From the end of one check to the next, give or take a tenth; longer where that would be more "
     "than 1,000 checks a second of all pods together."},
    {"endpoints[].gateway.health_check.timeout", "duration", "50ms to 60s", "2s",
     "For connection and answer. A gateway that starts a kernel may hold up its other answers "
     "for a while: `unhealthy_after` forgives that."},
    {"endpoints[].gateway.health_check.unhealthy_after", "integer", "1 to 100", "3",
     "So many failed checks in a row make a pod unhealthy."},
    {"endpoints[].gateway.health_check.healthy_after", "integer", "1 to 100", "2",
     "So many passed ones make it healthy again."},
    {"endpoints[].gateway.census", "duration or `off`", "50ms to 1h", "5s",
     "From one look at a pod's list of kernels to the next, give or take a tenth. It counts them "
     "for the choice of pod, for `kernelgate_pod_kernels` and for operators who wait until a pod "
     "is empty. One look at a time for each pod, 100 a second for all of them; none with "
     "`credentials: forward`."},
});

}  // namespace kg::config
