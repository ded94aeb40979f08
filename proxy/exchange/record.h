// ExchangeRecord: what an exchange learns about itself on its way, and the one place that turns it
// into metrics and an access-log line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "auth/principal.h"
#include "proxy/base/error.h"
#include "proxy/http/message.h"
#include "proxy/kernel/operation.h"

namespace kg::upstream {
struct LocalEndpoint;
}

namespace kg::exchange {

struct WorkerContext;

// Who a request came from, for the log.
struct ClientFacts {
  std::string_view address;        // "10.0.0.1:41234"
  std::string_view forwarded_for;  // "" unless the peer is trusted
  std::string_view certificate;    // subject of the client's certificate, "" without one
  bool tls_resumed = false;
};

struct ExchangeRecord {
  std::string request_id;
  std::string trace_id;
  kernel::Operation operation = kernel::Operation::kLocal;
  std::string kernel_id;
  std::string_view spec_name;                            // part of the head
  kernel::Operation effect = kernel::Operation::kLocal;  // what it comes to at the gateway
  std::string_view pod;  // its name; the endpoint outlives the exchange
  std::shared_ptr<const auth::Principal> principal;
  Error error{ErrorCode::kNone, "", 0};
  std::string detail;       // in place of the error's
  std::string dropped_env;  // names of variables that a kernel start did not get
  uint16_t status = 0;
  uint16_t close_code = 0;
  std::string_view closed_by;  // "client", "upstream", "proxy"
  uint64_t wall_us = 0;
  uint64_t started_us = 0;     // monotonic: head complete
  uint64_t first_byte_us = 0;  // monotonic, 0: none
  uint64_t sent_us = 0;        // monotonic: the request head went upstream
  uint64_t launch_wait_us = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t messages_in = 0;
  uint64_t messages_out = 0;
  uint64_t upstream_connect_us = 0;
  uint32_t reconnects = 0;  // WebSocket: the gateway's side was made anew
  bool upstream_reused = false;
  bool websocket = false;
  bool support = false;  // by the right of a support role

  void start();
  bool made_kernel() const noexcept;
  // Once per exchange, on every path. `local` is null when no endpoint was reached.
  void finish(WorkerContext& context, upstream::LocalEndpoint* local, const http::RequestHead& head,
              const ClientFacts& client) const;

 private:
  void count(WorkerContext& context, upstream::LocalEndpoint* local, uint64_t total_us) const;
};

}  // namespace kg::exchange
