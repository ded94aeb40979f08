// Everything that a configuration needs before it may serve, built and checked whole: routes, keys,
// certificates. What `kernelgate check`, start and reload share.
//
// Thread: control. With any error nothing is usable and all errors are listed.
#pragma once

#include <memory>
#include <vector>

#include "auth/session_file.h"
#include "auth/sources.h"
#include "config/config.h"
#include "metrics/endpoint_slots.h"
#include "proxy/server/tls_material.h"
#include "proxy/server/worker.h"
#include "routing/route_snapshot.h"

namespace kg::server {

struct Prepared {
  std::shared_ptr<const routing::RouteSnapshot> routes;
  std::vector<routing::EndpointRef> endpoints;
  std::vector<std::shared_ptr<auth::SessionFile>> session_files;
  std::vector<tls::ListenerTls> tls;            // one per listener of the file
  std::vector<config::ConfigError> tls_errors;  // those of `errors` that are about its files
  std::vector<ListenerFactsList> listeners;     // one list per worker
  std::vector<auth::Revocation> revocations;
  Secret admin_token;
  std::vector<config::ConfigError> errors;
  bool usable() const noexcept { return errors.empty(); }
};

// `ports`: as bound, per listener; empty when nothing is (check), then those of the configuration.
// `seats`: of announced certificates, one for each worker; null where there are no workers.
Prepared prepare(const config::Config& config, const std::vector<uint16_t>& ports,
                 const std::vector<tls::CertificateSeatRef>& seats, uint64_t version,
                 const OwnTls& own, metrics::EndpointSlots& slots, auth::Sources& sources,
                 routing::PodBook& pods);

// What one worker knows of each listener, TLS contexts included. `tls` was found to be usable.
ListenerFactsList make_facts(const config::Config& config, const std::vector<uint16_t>& ports,
                             const std::vector<tls::ListenerTls>& tls,
                             const tls::CertificateSeatRef& seat);

// The smaller of CPU affinity and cgroup cpu.max, rounded up; at least 1.
size_t automatic_workers();

}  // namespace kg::server
