#include "proxy/server/preparation.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "proxy/base/assert.h"
#include "proxy/server/kernel_id_keeper.h"
#include "proxy/server/revocation_keeper.h"
#include "proxy/server/session_control.h"
#include "routing/compiler.h"

namespace kg::server {
namespace {

event::AddressRanges ranges_of(const std::vector<config::Range>& wanted) {
  event::AddressRanges ranges;
  for (const config::Range& range : wanted) ranges.add(range.text);  // checked by the loader
  return ranges;
}

config::ConfigError error_at(const config::Config& config, const config::Place& place,
                             std::string problem, std::string remedy) {
  return {config.file, place.line, place.key, std::move(problem), std::move(remedy)};
}

// What the control thread needs for sessions that live.
void prepare_session_control(const config::Config& config, Prepared& prepared) {
  std::string problem;
  prepared.revocations = RevocationKeeper::read(config.revocations_file, problem);
  if (!problem.empty()) {
    prepared.errors.push_back(error_at(config, config.revocations_place, problem,
                                       "write one JSON object a line, as auth/README.md says"));
  }
  if (!config.admin) return;
  prepared.admin_token = read_admin_token(config.admin->token_file, problem);
  if (!problem.empty()) {
    prepared.errors.push_back(error_at(config, config.admin->token_place, problem,
                                       "for example: openssl rand -hex 32 > FILE"));
  }
}

}  // namespace

ListenerFactsList make_facts(const config::Config& config, const std::vector<uint16_t>& ports,
                             const std::vector<tls::ListenerTls>& tls,
                             const tls::CertificateSeatRef& seat) {
  ListenerFactsList list;
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    const config::Listener& listener = config.listeners[i];
    auto facts = std::make_shared<exchange::ListenerFacts>();
    facts->port = i < ports.size() ? ports[i] : listener.address.port;
    facts->trusted_proxies = ranges_of(listener.trusted_proxies);
    facts->allow_sources = ranges_of(listener.allow_sources);
    std::string problem;
    facts->tls = tls::TlsContext::make(tls[i], problem, seat);
    KG_ASSERT(facts->tls != nullptr);
    list.push_back(std::move(facts));
  }
  return list;
}

Prepared prepare(const config::Config& config, const std::vector<uint16_t>& ports,
                 const std::vector<tls::CertificateSeatRef>& seats, uint64_t version,
                 const OwnTls& own, metrics::EndpointSlots& slots, auth::Sources& sources,
                 routing::PodBook& pods) {
  Prepared prepared;
  routing::Compiled compiled =
      routing::compile(config, version, slots, sources, pods, seats.size() + 1);
  prepared.routes = std::move(compiled.snapshot);
  prepared.endpoints = std::move(compiled.endpoints);
  prepared.errors = std::move(compiled.errors);
  prepared.session_files = std::move(compiled.session_files);
  prepared.tls = read_tls(config, own, prepared.tls_errors);
  prepared.errors.insert(prepared.errors.end(), prepared.tls_errors.begin(),
                         prepared.tls_errors.end());
  check_kernel_id_keys(config, prepared.errors);
  prepare_session_control(config, prepared);
  std::stable_sort(prepared.errors.begin(), prepared.errors.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  for (const tls::CertificateSeatRef& seat : seats) {
    if (!prepared.tls_errors.empty()) break;
    prepared.listeners.push_back(make_facts(config, ports, prepared.tls, seat));
  }
  return prepared;
}

size_t automatic_workers() {
  cpu_set_t set;
  CPU_ZERO(&set);
  size_t cpus = 1;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cpus = static_cast<size_t>(CPU_COUNT(&set));
  std::ifstream file("/sys/fs/cgroup/cpu.max");  // "200000 100000" or "max 100000"
  std::string quota;
  double period = 0;
  if (file >> quota >> period && quota != "max" && period > 0) {
    const double limit = std::strtod(quota.c_str(), nullptr) / period;
    const auto whole = static_cast<size_t>(limit) +
                       (limit > static_cast<double>(static_cast<size_t>(limit)) ? 1 : 0);
    cpus = std::min(cpus, whole);
  }
  return std::max<size_t>(cpus, 1);
}

}  // namespace kg::server
