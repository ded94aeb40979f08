#include "proxy/exchange/record.h"

#include "proxy/exchange/audit.h"
#include "proxy/exchange/context.h"

namespace kg::exchange {

static_assert(metrics::kOperations == kernel::kOperationCount, "one histogram per operation");

void ExchangeRecord::start() {
  wall_us = event::wall_us();
  started_us = event::monotonic_us();
}

// A session that got a new kernel is no new session: 200.
bool ExchangeRecord::made_kernel() const noexcept {
  using kernel::Operation;
  return effect == Operation::kCreateKernel &&
         (status == 201 || (operation == Operation::kPatchSession && status == 200));
}

void ExchangeRecord::finish(WorkerContext& context, upstream::LocalEndpoint* local,
                            const http::RequestHead& head, const ClientFacts& client) const {
  const uint64_t total_us = event::monotonic_us() - started_us;
  count(context, local, total_us);
  if (context.audit.enabled()) {
    const auto line =
        audit_record(*this, local != nullptr ? local->endpoint.get() : nullptr, client);
    if (line) context.audit.write(*line);
  }
  if (!context.access_log.enabled()) return;
  metrics::AccessRecord line;
  line.time_us = wall_us;
  line.request_id = request_id;
  line.trace_id = trace_id;
  line.client = client.address;
  line.forwarded_for = client.forwarded_for;
  line.client_certificate = client.certificate;
  line.tls_resumed = client.tls_resumed;
  line.operation = kernel::operation_name(operation);
  line.method = head.method_text;
  line.host = head.authority;
  line.path = head.path;
  line.user_agent = head.find("user-agent");
  line.kernel = kernel_id;
  line.spec = spec_name;
  if (local != nullptr) {
    line.endpoint = local->endpoint->id;
    line.virtual_cluster = local->endpoint->virtual_cluster;
    const bool meant = sent_us != 0 || error.row().side == Side::kUpstream;
    line.pod = meant ? pod : std::string_view();
  }
  if (principal != nullptr) {
    line.subject = principal->subject;
    line.realm = principal->realm;
    line.role = principal->role;
    line.log_context = principal->log_context;
  }
  if (error.code != ErrorCode::kNone) {
    line.error = error.row().label;
    line.detail = detail.empty() ? std::string_view(error.detail) : detail;
  }
  line.dropped_env = dropped_env;
  line.status = status;
  line.websocket = websocket;
  line.close_code = close_code;
  line.closed_by = closed_by;
  line.bytes_in = bytes_in;
  line.bytes_out = bytes_out;
  line.messages_in = messages_in;
  line.messages_out = messages_out;
  line.first_byte_us = first_byte_us != 0 ? first_byte_us - started_us : 0;
  line.total_us = total_us;
  line.upstream_connect_us = upstream_connect_us;
  line.launch_wait_us = launch_wait_us;
  line.upstream_reused = upstream_reused;
  line.reconnects = reconnects;
  context.access_log.write(line);
}

void ExchangeRecord::count(WorkerContext& context, upstream::LocalEndpoint* local,
                           uint64_t total_us) const {
  const size_t code = metrics::code_class(status);
  metrics::OperationMetrics& timings = context.metrics.operations[static_cast<size_t>(operation)];
  if (first_byte_us != 0) timings.first_byte[code].observe_us(first_byte_us - started_us);
  if (websocket) {
    context.metrics.websocket_duration.observe_us(total_us);
  } else if (status != 0) {
    timings.total[code].observe_us(total_us);
  }
  // Slot 0 is `other`: requests that reached no endpoint count there.
  metrics::EndpointMetrics& counters =
      local != nullptr ? local->counters : context.metrics.endpoint(0);
  if (status != 0) counters.requests[code].add();
  if (error.code != ErrorCode::kNone) counters.errors[static_cast<size_t>(error.code)].add();
  if (!websocket) {  // a WebSocket counts as it flows
    counters.bytes[metrics::kFromClient].add(bytes_in);
    counters.bytes[metrics::kFromUpstream].add(bytes_out);
  }
  const bool went_up = sent_us != 0 || error.row().side == Side::kUpstream;
  if (effect == kernel::Operation::kCreateKernel && went_up) {
    (made_kernel() ? counters.launches_ok : counters.launches_failed).add();
  }
}

}  // namespace kg::exchange
