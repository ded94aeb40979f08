// Which exchanges go into the audit log: those that changed a kernel, those that were turned away
// for who sent them, and those by the right of a support role. What is not an exchange, such as a
// session that is revoked, is written straight to WorkerContext::audit.
#pragma once

#include <optional>

#include "metrics/audit_log.h"
#include "proxy/exchange/record.h"
#include "proxy/http/message.h"
#include "routing/endpoint.h"

namespace kg::exchange {

// Borrows from its arguments. `endpoint` is null when none was reached.
std::optional<metrics::AuditRecord> audit_record(const ExchangeRecord& record,
                                                 const routing::Endpoint* endpoint,
                                                 const ClientFacts& client);

}  // namespace kg::exchange
