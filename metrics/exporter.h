// Exporter renders all workers' metrics in Prometheus text format, as a prometheus-cpp Collectable.
//
// Thread: collect() and text() from any one thread at a time. Workers are registered before they
// start and outlive the exporter. The table of metrics is in exporter.cc and documented in
// metrics/README.md (a test compares them).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/endpoint_slots.h"
#include "metrics/kernel_specs.h"
#include "metrics/worker_metrics.h"

namespace kg::metrics {

// Health checks of an endpoint's pods.
struct EndpointHealth {
  bool checked = false;  // a pod of it is being checked
  uint64_t passed = 0;
  uint64_t failed = 0;
};

struct PodKernels {
  uint64_t busy = 0;
  uint64_t idle = 0;
  uint64_t other = 0;  // starting, restarting, dead, unknown
};

struct PodFact {
  uint32_t slot = 0;  // of its endpoint
  std::string pod;
  bool checked = false;
  bool healthy = true;  // nothing is said of it unless it is checked
  bool gone = false;
  bool cordoned = false;
  uint64_t restarts = 0;
  uint64_t launches = 0;              // in flight
  uint64_t websockets = 0;            // open
  std::optional<PodKernels> kernels;  // nothing: not known, or not of late
};

// What is at its bound now, so that new work is turned away.
struct Overload {
  bool memory = false;
  bool descriptors = false;
  bool connections = false;
};

struct Reloads {
  uint64_t ok = 0;
  uint64_t failed = 0;
};

// Exchanges of the network thread with one result.
struct FetchFact {
  std::string_view purpose;
  std::string_view result;
  uint64_t count = 0;
};

struct CertificateFact {
  std::string listener;     // its address as configured
  std::string certificate;  // its file
  int64_t not_after_s = 0;  // since the epoch
};

// What belongs to the process, not to a worker.
// What the feed of controllers brought.
struct FeedFact {
  uint64_t term = 0;
  uint64_t sequence = 0;
  double age_seconds = 0;  // since the version was known to be the newest
  uint64_t items = 0;
  uint64_t connected = 0;  // controllers
  uint64_t updates = 0;
  std::vector<std::pair<std::string_view, uint64_t>> rejected;  // by reason
  std::vector<std::pair<std::string_view, uint64_t>> facts;     // by what became of them
};

struct ProcessFacts {
  std::string version;
  std::string openssl_version;
  bool draining = false;
  Overload overload;
  uint64_t routes_version = 0;  // counts up with every applied configuration
  uint64_t endpoints = 0;
  uint64_t reloads_ok = 0;
  uint64_t reloads_failed = 0;
  std::vector<CertificateFact> certificates = {};  // no two with equal labels
  Reloads certificate_reloads = {};
  Reloads ticket_key_reloads = {};
  Reloads revocation_reloads = {};
  uint64_t revocations = 0;
  Reloads session_file_reloads = {};
  Reloads kernel_id_key_reloads = {};
  std::vector<FetchFact> fetches = {};
  uint64_t fetches_waiting = 0;
  int64_t session_keys_age_s = 0;  // the oldest of the issuers' keys; -1: an issuer has none
  double start_time_seconds = 0;
  std::vector<EndpointHealth> health;  // by slot
  std::vector<PodFact> pods;           // those of one endpoint together
  std::optional<FeedFact> feed = {};   // none: no controllers are followed
};

class Exporter {
 public:
  // operation_names: label value per operation index; error labels come from error.h.
  Exporter(const EndpointSlots& slots, const KernelSpecs& specs,
           std::vector<std::string> operation_names, std::function<ProcessFacts()> facts);
  ~Exporter();
  void add_worker(const WorkerMetrics* worker);
  std::string text() const;  // text/plain; version=0.0.4

 private:
  class Collector;  // prometheus::Collectable
  std::unique_ptr<Collector> collector_;
};

}  // namespace kg::metrics
