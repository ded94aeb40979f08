// The metrics that are one cell or one histogram each: name, type, help, and where a worker keeps
// it. Only exporter.cc includes this; metrics/README.md documents every name.
#pragma once

#include <prometheus/metric_type.h>

#include <array>

#include "metrics/worker_metrics.h"

namespace kg::metrics {

using prometheus::MetricType;

struct CellMetric {
  const char* name;
  MetricType type;
  const char* help;
  Cell WorkerMetrics::*cell;
};
inline constexpr CellMetric kCells[] = {
    {"kernelgate_connections_accepted_total", MetricType::Counter, "Client connections accepted.",
     &WorkerMetrics::connections_accepted},
    {"kernelgate_connections_open", MetricType::Gauge, "Client connections that are open now.",
     &WorkerMetrics::connections_open},
    {"kernelgate_connections_refused_total", MetricType::Counter,
     "Client connections closed at once because of a limit or allow_sources.",
     &WorkerMetrics::connections_refused},
    {"kernelgate_connections_handed_over_total", MetricType::Counter,
     "Client connections given to a less loaded worker.", &WorkerMetrics::connections_handed_over},
    {"kernelgate_tls_handshake_errors_total", MetricType::Counter,
     "TLS handshakes with clients that failed.", &WorkerMetrics::tls_handshake_errors},
    {"kernelgate_upstream_connections_opened_total", MetricType::Counter,
     "Connections opened to gateway pods.", &WorkerMetrics::upstream_connections_opened},
    {"kernelgate_upstream_connections_reused_total", MetricType::Counter,
     "Requests that took an idle connection from the pool.",
     &WorkerMetrics::upstream_connections_reused},
    {"kernelgate_upstream_connections_open", MetricType::Gauge,
     "Connections to gateway pods that are open now, idle ones included.",
     &WorkerMetrics::upstream_connections_open},
    {"kernelgate_gateway_errors_reduced_total", MetricType::Counter,
     "Errors of gateways that said more than a client may see.",
     &WorkerMetrics::gateway_errors_reduced},
    {"kernelgate_gateway_errors_replaced_total", MetricType::Counter,
     "Errors of gateways whose body is not passed on at all.",
     &WorkerMetrics::gateway_errors_replaced},
    {"kernelgate_session_cache_hits_total", MetricType::Counter,
     "Session tokens found already verified.", &WorkerMetrics::session_cache_hits},
    {"kernelgate_session_cache_misses_total", MetricType::Counter,
     "Session tokens whose signature had to be verified.", &WorkerMetrics::session_cache_misses},
    {"kernelgate_websocket_scan_lost_total", MetricType::Counter,
     "WebSocket directions whose frames could no longer be followed.",
     &WorkerMetrics::websocket_scan_lost},
    {"kernelgate_websocket_reconnect_tries_total", MetricType::Counter,
     "Connections tried to gateways that were lost under an open WebSocket.",
     &WorkerMetrics::websocket_reconnect_tries},
    {"kernelgate_websocket_messages_held_total", MetricType::Counter,
     "Messages of clients that waited for such a connection.",
     &WorkerMetrics::websocket_messages_held},
    {"kernelgate_websocket_messages_untaken_total", MetricType::Counter,
     "Messages of clients that came in a drain when the gateway's side had been closed.",
     &WorkerMetrics::websocket_messages_untaken},
    {"kernelgate_websockets_expired_total", MetricType::Counter,
     "WebSockets closed because their session had expired.", &WorkerMetrics::websockets_expired},
    {"kernelgate_websockets_kept_total", MetricType::Counter,
     "WebSockets kept open although their session had expired.", &WorkerMetrics::websockets_kept},
    {"kernelgate_websockets_renewed_total", MetricType::Counter,
     "Times that an open WebSocket went on with a fresher session.",
     &WorkerMetrics::websockets_renewed},
    {"kernelgate_websockets_revoked_total", MetricType::Counter,
     "WebSockets closed because their session was revoked.", &WorkerMetrics::websockets_revoked},
    {"kernelgate_notices_said_total", MetricType::Counter,
     "Messages of the proxy's own to notebooks.", &WorkerMetrics::notices_said},
    {"kernelgate_notices_unsaid_total", MetricType::Counter,
     "Messages to notebooks that found no place before the WebSocket ended.",
     &WorkerMetrics::notices_unsaid},
    {"kernelgate_access_log_dropped_total", MetricType::Counter,
     "Access-log lines dropped because the log could not be written in time.",
     &WorkerMetrics::access_log_dropped},
    {"kernelgate_audit_log_dropped_total", MetricType::Counter,
     "Audit-log lines dropped because the log could not be written in time.",
     &WorkerMetrics::audit_log_dropped},
    {"kernelgate_slow_turns_total", MetricType::Counter,
     "Event loop turns that took longer than 100 ms.", &WorkerMetrics::slow_turns},
};

// One counter with a cell for each value of a label.
struct LabelledMetric {
  const char* name;
  const char* help;
  const char* label;
  uint8_t count;  // of its values
  std::string_view (*value)(uint8_t);
  const Cell& (*cell)(const WorkerMetrics&, uint8_t);
};
inline constexpr LabelledMetric kLabelled[] = {
    {"kernelgate_limits_hit_total", "How often a bound acted, by bound.", "limit", kLimitCount,
     [](uint8_t i) { return limit_label(static_cast<Limit>(i)); },
     [](const WorkerMetrics& worker, uint8_t i) -> const Cell& { return worker.limits_hit[i]; }},
    {"kernelgate_websocket_gaps_total",
     "Gateways lost under an open WebSocket, by what became of it.", "result", kGapEndCount,
     [](uint8_t i) { return gap_end_label(static_cast<GapEnd>(i)); },
     [](const WorkerMetrics& worker, uint8_t i) -> const Cell& {
       return worker.websocket_gaps[i];
     }},
};

struct EndpointCellMetric {
  const char* name;
  MetricType type;
  const char* help;
  Cell EndpointMetrics::*cell;
};
inline constexpr EndpointCellMetric kEndpointCells[] = {
    {"kernelgate_launches_running", MetricType::Gauge, "Kernel starts that have their turn.",
     &EndpointMetrics::launches_running},
    {"kernelgate_launches_waiting", MetricType::Gauge,
     "Kernel starts that wait for a turn, or for the answer of the same start.",
     &EndpointMetrics::launches_waiting},
    {"kernelgate_launches_refused_total", MetricType::Counter,
     "Kernel starts that got no turn: too many waited, or they waited too long.",
     &EndpointMetrics::launches_refused},
    {"kernelgate_launches_shared_total", MetricType::Counter,
     "Kernel starts answered by an earlier one with the same id, without a second start.",
     &EndpointMetrics::launches_shared},
    {"kernelgate_launches_followed", MetricType::Gauge,
     "Kernel starts that are followed to their end although nobody waits for them.",
     &EndpointMetrics::launches_followed},
    {"kernelgate_launches_lost_total", MetricType::Counter,
     "Kernel starts whose answer never came; the gateway's list is looked at for their kernels.",
     &EndpointMetrics::launches_lost},
    {"kernelgate_orphans_deleted_total", MetricType::Counter,
     "Kernels deleted because the client of their start had left or was told an error.",
     &EndpointMetrics::orphans_deleted},
    {"kernelgate_orphans_left_total", MetricType::Counter,
     "Kernel starts whose end is not known; the operational log has their ids.",
     &EndpointMetrics::orphans_left},
    {"kernelgate_websockets_open", MetricType::Gauge, "WebSockets that are open now.",
     &EndpointMetrics::websockets_open},
    {"kernelgate_websockets_total", MetricType::Counter, "WebSockets that were opened.",
     &EndpointMetrics::websockets_total},
    {"kernelgate_upstream_requests_active", MetricType::Gauge,
     "Requests in flight to gateway pods, without open WebSockets.",
     &EndpointMetrics::upstream_active},
    {"kernelgate_upstream_requests_queued", MetricType::Gauge,
     "Requests that wait for a place among those in flight.", &EndpointMetrics::upstream_queued},
    {"kernelgate_upstream_requests_refused_total", MetricType::Counter,
     "Requests answered 503 at once because the queue was full.",
     &EndpointMetrics::upstream_refused},
    {"kernelgate_kernel_ids_foreign_total", MetricType::Counter,
     "Requests for kernels whose id was not made here, refused.",
     &EndpointMetrics::kernel_ids_foreign},
    {"kernelgate_kernel_id_mismatches_total", MetricType::Counter,
     "Kernel starts that the gateway answered with an id of its own.",
     &EndpointMetrics::kernel_id_mismatches},
    {"kernelgate_kernel_lists_stale_total", MetricType::Counter,
     "Lists of kernels for which a pod's last known entries served.",
     &EndpointMetrics::kernel_lists_stale},
    {"kernelgate_launch_env_dropped_total", MetricType::Counter,
     "Environment variables that kernel starts did not get.", &EndpointMetrics::launch_env_dropped},
    {"kernelgate_upstream_retries_total", MetricType::Counter,
     "Requests sent again on another connection.", &EndpointMetrics::retries},
    {"kernelgate_upstream_retries_refused_total", MetricType::Counter,
     "Requests not sent again because the retry budget was used up.",
     &EndpointMetrics::retries_refused},
    {"kernelgate_kernel_cells_total", MetricType::Counter,
     "Execute requests that clients sent to kernels.", &EndpointMetrics::cells},
    {"kernelgate_kernel_cells_unfollowed_total", MetricType::Counter,
     "Execute requests that are not timed because too many were in flight on their WebSocket.",
     &EndpointMetrics::cells_unfollowed},
    {"kernelgate_kernel_comm_messages_total", MetricType::Counter,
     "Messages of widgets and their like, both ways.", &EndpointMetrics::comm_messages},
    {"kernelgate_kernel_input_requests_total", MetricType::Counter,
     "Times that a kernel asked its user for input.", &EndpointMetrics::input_requests},
    {"kernelgate_pod_suspect", MetricType::Gauge,
     "Workers that suspect the pod now, because its requests failed one after the other.",
     &EndpointMetrics::pod_suspect},
    {"kernelgate_pod_suspected_total", MetricType::Counter, "Times that a worker began to suspect.",
     &EndpointMetrics::pod_suspected},
    {"kernelgate_pod_twins", MetricType::Gauge,
     "Pods that take no new kernels because ids cannot tell them from a pod before them.",
     &EndpointMetrics::pod_twins},
    {"kernelgate_kernel_revivals_total", MetricType::Counter,
     "Times that a pod was asked for a kernel to make it load it.",
     &EndpointMetrics::kernel_revivals},
    {"kernelgate_kernels_rehomed_total", MetricType::Counter,
     "Kernels of gone pods that another pod has loaded.", &EndpointMetrics::kernels_rehomed},
};

struct HistogramMetric {
  const char* name;
  const char* help;
  Histogram WorkerMetrics::*histogram;
};
inline constexpr HistogramMetric kHistograms[] = {
    {"kernelgate_upstream_connect_seconds", "Time to connect to a gateway pod.",
     &WorkerMetrics::upstream_connect},
    {"kernelgate_tls_handshake_seconds", "Time of a TLS handshake with a client.",
     &WorkerMetrics::tls_handshake},
    {"kernelgate_websocket_upgrade_seconds",
     "Time from the upgrade request sent to the gateway until its 101.", &WorkerMetrics::upgrade},
    {"kernelgate_kernel_launch_seconds",
     "Time from a kernel start until the first 101 of that kernel, or the end of the answer.",
     &WorkerMetrics::kernel_launch},
    {"kernelgate_launch_wait_seconds", "Time that a kernel start waited for its turn.",
     &WorkerMetrics::launch_wait},
    {"kernelgate_websocket_duration_seconds", "Time from the 101 to the end of a WebSocket.",
     &WorkerMetrics::websocket_duration},
    {"kernelgate_websocket_gap_seconds",
     "Time from the loss of a gateway under an open WebSocket to the end of the gap.",
     &WorkerMetrics::websocket_gap},
};

struct OperationMetric {
  const char* name;
  const char* help;
  std::array<Histogram, kCodeClasses> OperationMetrics::*histograms;
};
inline constexpr OperationMetric kOperationHistograms[] = {
    {"kernelgate_request_first_byte_seconds",
     "Time from the complete request head to the first byte of the answer.",
     &OperationMetrics::first_byte},
    {"kernelgate_request_duration_seconds",
     "Time from the complete request head to the last byte of the answer, without WebSockets.",
     &OperationMetrics::total},
};

}  // namespace kg::metrics
