#include "proxy/exchange/audit.h"

namespace kg::exchange {
namespace {

using kernel::Operation;
using metrics::AuditEvent;

bool is_refusal(const Error& error) noexcept {
  const uint16_t status = error.row().status;
  return status == 401 || status == 403 || error.code == ErrorCode::kNoKernel;
}

std::optional<AuditEvent> change_of(Operation operation) noexcept {
  switch (operation) {
    case Operation::kCreateKernel:
      return AuditEvent::kCreate;
    case Operation::kInterruptKernel:
      return AuditEvent::kInterrupt;
    case Operation::kRestartKernel:
      return AuditEvent::kRestart;
    case Operation::kDeleteKernel:
      return AuditEvent::kDelete;
    default:
      return std::nullopt;
  }
}

// Nobody's change is no event: it was refused, or is no valid request. That an open WebSocket ends
// with its session is none either, unless somebody ended that.
std::optional<AuditEvent> event_of(const ExchangeRecord& record) noexcept {
  if (record.websocket) {
    const ErrorCode code = record.error.code;
    const bool revoked = code == ErrorCode::kSessionRevoked || code == ErrorCode::kForbidden;
    return revoked ? std::optional(AuditEvent::kRevoke) : std::nullopt;
  }
  if (is_refusal(record.error)) return AuditEvent::kRefuse;
  if (record.principal == nullptr) return std::nullopt;
  const auto change = change_of(record.effect);
  if (!change && record.support) return AuditEvent::kSupport;
  return change;
}

std::string_view result_of(AuditEvent event, const ExchangeRecord& record) noexcept {
  if (event == AuditEvent::kRefuse) return "refused";
  if (event == AuditEvent::kRevoke) return "ok";
  const bool done = record.error.code == ErrorCode::kNone && record.status < 400;
  return done ? "ok" : "failed";
}

}  // namespace

std::optional<metrics::AuditRecord> audit_record(const ExchangeRecord& record,
                                                 const routing::Endpoint* endpoint,
                                                 const ClientFacts& client) {
  const auto event = event_of(record);
  if (!event) return std::nullopt;
  metrics::AuditRecord out;
  out.time_us = record.wall_us;
  out.event = *event;
  out.result = result_of(*event, record);
  out.request_id = record.request_id;
  out.client = client.address;
  out.forwarded_for = client.forwarded_for;
  if (endpoint != nullptr) {
    out.endpoint = endpoint->id;
    out.virtual_cluster = endpoint->virtual_cluster;
  }
  out.operation = kernel::operation_name(record.operation);
  out.kernel = record.kernel_id;
  if (record.principal != nullptr) {
    out.realm = record.principal->realm;
    out.subject = record.principal->subject;
  }
  out.status = record.status;
  if (record.error.code != ErrorCode::kNone) {
    out.error = record.error.row().label;
    out.detail = record.detail.empty() ? std::string_view(record.error.detail) : record.detail;
  }
  out.support = record.support;
  return out;
}

}  // namespace kg::exchange
