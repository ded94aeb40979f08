// What the controller says of itself to Prometheus: values in, text out.
//
// Labels are bounded: kinds, severities and reasons are the code's, results and states listed here.
// Objects are named in logs and Events, and in labels as far as kObjectErrorsMax goes. The table is
// in routing/controller/README.md (a test compares them).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/worker_metrics.h"
#include "routing/controller/ingress/object.h"
#include "routing/controller/kube/writes.h"
#include "routing/feed/publisher.h"

namespace kg::controller {

// Objects whose errors have a series: 60 KiB of a scrape, more where names are long.
inline constexpr size_t kObjectErrorsMax = 256;

// All lists of objects of one kind together.
struct KindFact {
  std::string_view kind;
  ingress::Kind of = ingress::Kind::kIngress;
  uint64_t objects = 0;
  uint64_t lag_us = 0;    // of the one that is behind the most
  uint64_t quiet_us = 0;  // since the one that is quiet the longest was heard
  uint64_t lists = 0;
  uint64_t errors = 0;  // lists and watches that failed
  uint64_t full = 0;    // namespaces with more objects than are kept
};

// A list or a watch that fails.
struct ListProblem {
  std::string what;            // "ingresses.networking.k8s.io"
  std::string namespace_name;  // "": of the cluster
  std::string problem;
};

struct WriteFact {
  std::string_view what;  // "event", "status"
  kube::Writes::Counts counts;
  uint64_t waiting = 0;
};

struct ControllerFacts {
  bool leads = false;
  bool synced = false;
  double start_time_seconds = 0;
  std::vector<KindFact> kinds;
  std::vector<ListProblem> forbidden;
  uint64_t ingresses_ours = 0;
  uint64_t ingresses_observed = 0;
  uint64_t endpoints_published = 0;
  uint64_t endpoints_last_good = 0;  // of them: their annotations are wrong
  uint64_t certificates = 0;
  uint64_t left_out = 0;  // Ingresses and Secrets for which there is no room
  std::map<std::pair<std::string_view, std::string>, uint64_t> findings;  // by severity, reason
  std::map<ingress::ObjectRef, uint64_t> object_errors;                   // of those that have any
  const metrics::Histogram* compile = nullptr;
  uint64_t compiled = 0;  // Ingresses
  feed::Version version;
  uint64_t items = 0;
  uint64_t item_bytes = 0;
  uint64_t proxies_current = 0;
  uint64_t proxies_behind = 0;
  uint64_t proxies_resting = 0;  // connected, and they follow another controller
  feed::PublisherCounts feed;
  std::vector<WriteFact> writes;
};

std::string metrics_text(const ControllerFacts& facts);  // text/plain; version=0.0.4

}  // namespace kg::controller
