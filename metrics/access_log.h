// Access log: one JSON line per exchange, formatted on the worker into its own buffer and handed
// over in bulk to one writer thread (log_writer.h).
//
// AccessRecord: views that live as long as the call. metrics/README.md documents each field; there
//   is none for query, credential or body.
#pragma once

#include <cstdint>
#include <string_view>

#include "metrics/log_buffer.h"

namespace kg::metrics {

struct AccessRecord {
  uint64_t time_us = 0;  // since the epoch: request head complete
  std::string_view request_id;
  std::string_view trace_id;
  std::string_view client;              // address:port of the peer
  std::string_view forwarded_for;       // the ALB's client when the peer is trusted
  std::string_view client_certificate;  // subject, RFC 4514
  std::string_view endpoint;
  std::string_view virtual_cluster;
  std::string_view operation;
  std::string_view method;
  std::string_view host;
  std::string_view path;  // without query: queries may hold secrets
  std::string_view kernel;
  std::string_view spec;
  std::string_view pod;
  std::string_view subject;
  std::string_view realm;
  std::string_view role;
  std::string_view log_context;
  std::string_view error;   // error label, "" if none
  std::string_view detail;  // Error::detail
  std::string_view dropped_env;
  std::string_view user_agent;
  uint16_t status = 0;         // sent to the client; 0: none
  uint16_t close_code = 0;     // WebSocket: the code that ended it; 0: not a WebSocket
  std::string_view closed_by;  // "client", "upstream", "proxy"
  uint64_t bytes_in = 0;       // body or frames from the client
  uint64_t bytes_out = 0;
  uint64_t messages_in = 0;
  uint64_t messages_out = 0;
  uint64_t first_byte_us = 0;
  uint64_t total_us = 0;
  uint64_t upstream_connect_us = 0;
  uint64_t launch_wait_us = 0;  // of a kernel start, for its turn
  uint64_t reconnects = 0;      // WebSocket: times that the gateway's side was made anew
  bool websocket = false;
  bool tls_resumed = false;
  bool upstream_reused = false;
};

class AccessLogBuffer : public LogBuffer {
 public:
  using Record = AccessRecord;
  // Returns true when the buffer wants to be taken.
  bool append(const AccessRecord& record);
};

}  // namespace kg::metrics
