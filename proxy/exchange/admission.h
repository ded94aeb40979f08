// Admission: what all workers together may take on. The only state that they share besides the
// counts of metrics, touched when a connection, a forwarded client's request, a WebSocket or a
// kernel start begins and ends.
//
// Owner:  the Server; outlives the workers. Thread: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "proxy/exchange/client_counts.h"
#include "proxy/exchange/quotas.h"

namespace kg::exchange {

struct Admission {
  ClientCounts connections;  // by the peer's address; trusted proxies are not counted
  ClientCounts requests;     // by the client that a trusted proxy names
  Quotas quotas;             // by principal and endpoint
  alignas(64) std::atomic<uint32_t> open{0};  // client connections in all
  // Written by the control thread when it changes, else only read: no traffic between caches.
  alignas(64) std::atomic<bool> short_of_memory{false};
  int descriptor_mark = std::numeric_limits<int>::max();  // set before the workers start
};

}  // namespace kg::exchange
