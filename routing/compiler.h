// Compiles the endpoints of a configuration into a route snapshot: reads tokens and keys, builds
// the session verifiers.
//
// Thread: control (blocks on files). All errors at once, in the configuration's own form; with any
// error nothing is published and the last snapshot serves on.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "auth/session_file.h"
#include "auth/sources.h"
#include "config/config.h"
#include "metrics/endpoint_slots.h"
#include "routing/route_snapshot.h"

namespace kg::routing {

struct Compiled {
  std::shared_ptr<const RouteSnapshot> snapshot;  // null if there are errors
  std::vector<EndpointRef> endpoints;             // as configured
  std::vector<config::ConfigError> errors;
  // What its sessions rest on and may change on disk.
  std::vector<std::shared_ptr<auth::SessionFile>> session_files;
};

// `threads`: so many connect to pods, each with TLS contexts of its own (PodTls).
Compiled compile(const config::Config& config, uint64_t version, metrics::EndpointSlots& slots,
                 auth::Sources& sources, PodBook& pods, size_t threads);

}  // namespace kg::routing
