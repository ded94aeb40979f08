#include "proxy/server/preparation.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "routing/compiler.h"

namespace kg::server {
namespace {

event::AddressRanges ranges_of(const std::vector<config::Range>& wanted) {
  event::AddressRanges ranges;
  for (const config::Range& range : wanted) ranges.add(range.text);  // checked by the loader
  return ranges;
}

// Null and an error when a certificate is unusable.
std::shared_ptr<const tls::TlsContext> make_tls(const config::Config& config,
                                                const config::Listener& listener,
                                                const tls::TicketKeys& tickets,
                                                std::vector<config::ConfigError>& errors) {
  std::vector<tls::CertificateFiles> files;
  for (const config::CertificatePair& pair : listener.certificates) {
    files.push_back({pair.certificate, pair.private_key});
    std::string problem;
    if (tls::TlsContext::make({files.back()}, tickets, problem) != nullptr) continue;
    config::ConfigError error;
    error.file = config.file;
    error.line = pair.place.line;
    error.key = pair.place.key;
    error.problem = problem;
    error.remedy =
        "give a PEM certificate chain, leaf first, and the unencrypted private key of its leaf";
    errors.push_back(std::move(error));
    files.pop_back();
  }
  if (files.size() != listener.certificates.size()) return nullptr;
  std::string problem;
  return tls::TlsContext::make(files, tickets, problem);
}

}  // namespace

Prepared prepare(const config::Config& config, const std::vector<uint16_t>& ports, size_t workers,
                 uint64_t version, const tls::TicketKeys& tickets, metrics::EndpointSlots& slots) {
  Prepared prepared;
  routing::Compiled compiled = routing::compile(config, version, slots, workers + 1);
  prepared.routes = std::move(compiled.snapshot);
  prepared.errors = std::move(compiled.errors);
  prepared.listeners.resize(workers);
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    const config::Listener& listener = config.listeners[i];
    for (size_t worker = 0; worker < workers; ++worker) {
      auto facts = std::make_shared<exchange::ListenerFacts>();
      facts->port = i < ports.size() ? ports[i] : listener.address.port;
      facts->trusted_proxies = ranges_of(listener.trusted_proxies);
      facts->allow_sources = ranges_of(listener.allow_sources);
      facts->tls = make_tls(config, listener, tickets, prepared.errors);
      if (facts->tls == nullptr) break;
      prepared.listeners[worker].push_back(std::move(facts));
    }
  }
  std::stable_sort(prepared.errors.begin(), prepared.errors.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
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
