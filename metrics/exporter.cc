#include "metrics/exporter.h"

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <utility>

#include "metrics/families.h"
#include "metrics/kernel_families.h"
#include "metrics/metric_tables.h"
#include "metrics/pod_families.h"
#include "metrics/process_usage.h"
#include "proxy/base/assert.h"

namespace kg::metrics {
namespace {

constexpr std::array<const char*, kCodeClasses> kCodeNames{"1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr size_t kCode2xx = 1;
constexpr std::array<const char*, 2> kDirectionNames{"from_client", "from_upstream"};
constexpr std::array<const char*, 2> kSideNames{"client", "upstream"};  // as kDirectionNames

MetricFamily by_result(const char* name, const char* help, const Reloads& reloads) {
  MetricFamily family = make_family(name, MetricType::Counter, help);
  add_sample(family, {{"result", "ok"}}, static_cast<double>(reloads.ok));
  add_sample(family, {{"result", "failed"}}, static_cast<double>(reloads.failed));
  return family;
}

}  // namespace

class Exporter::Collector final : public prometheus::Collectable {
 public:
  Collector(const EndpointSlots& slots, const KernelSpecs& specs,
            std::vector<std::string> operation_names, std::function<ProcessFacts()> facts)
      : slots_(slots),
        specs_(specs),
        operation_names_(std::move(operation_names)),
        facts_(std::move(facts)) {
    KG_ASSERT(operation_names_.size() == kOperations);
  }

  void add_worker(const WorkerMetrics* worker) { workers_.push_back(worker); }

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families;
    const ProcessFacts facts = facts_();
    collect_process(facts, families);
    collect_fetches(facts, families);
    if (facts.feed) collect_feed(*facts.feed, families);
    collect_workers(families);
    collect_pings(families);
    collect_operations(families);
    collect_endpoints(families);
    collect_pods(slots_.names(), facts, families);
    collect_kernels(workers_, slots_.names(), specs_.names(), families);
    return families;
  }

 private:
  using Families = std::vector<MetricFamily>;

  static void collect_process(const ProcessFacts& facts, Families& out);
  static void collect_fetches(const ProcessFacts& facts, Families& out);
  static void collect_feed(const FeedFact& facts, Families& out);
  void collect_workers(Families& out) const;
  void collect_pings(Families& out) const;
  void collect_operations(Families& out) const;
  void collect_endpoints(Families& out) const;

  template <class Add>
  MetricFamily by_endpoint(const std::vector<EndpointName>& names, const char* name,
                           MetricType type, const char* help, Add&& add) const {
    return metrics::by_endpoint(workers_, names, name, type, help, std::forward<Add>(add));
  }
  MetricFamily by_direction(const std::vector<EndpointName>& names, const char* name,
                            const char* help, std::array<Cell, 2> EndpointMetrics::*cells) const;

  const EndpointSlots& slots_;
  const KernelSpecs& specs_;
  std::vector<std::string> operation_names_;
  std::function<ProcessFacts()> facts_;
  Workers workers_;
};

void Exporter::Collector::collect_process(const ProcessFacts& facts, Families& out) {
  MetricFamily build = make_family("kernelgate_build_info", MetricType::Gauge,
                                   "Versions of this build; the value is always 1.");
  add_sample(build, {{"version", facts.version}, {"openssl_version", facts.openssl_version}}, 1);
  out.push_back(std::move(build));
  out.push_back(single("kernelgate_process_start_time_seconds", MetricType::Gauge,
                       "Start of the process, seconds since the epoch.", facts.start_time_seconds));
  out.push_back(single("kernelgate_process_resident_memory_bytes", MetricType::Gauge,
                       "Resident memory of the process.", static_cast<double>(resident_bytes())));
  out.push_back(single("kernelgate_process_open_fds", MetricType::Gauge,
                       "File descriptors that are open now.", static_cast<double>(open_fds())));
  out.push_back(single("kernelgate_draining", MetricType::Gauge,
                       "1 from the first SIGTERM on, else 0.", facts.draining ? 1 : 0));
  MetricFamily overloaded = make_family("kernelgate_overloaded", MetricType::Gauge,
                                        "1 while new work is turned away for that resource.");
  add_sample(overloaded, {{"resource", "memory"}}, facts.overload.memory ? 1 : 0);
  add_sample(overloaded, {{"resource", "descriptors"}}, facts.overload.descriptors ? 1 : 0);
  add_sample(overloaded, {{"resource", "connections"}}, facts.overload.connections ? 1 : 0);
  out.push_back(std::move(overloaded));
  out.push_back(single("kernelgate_endpoints", MetricType::Gauge, "Endpoints that are configured.",
                       static_cast<double>(facts.endpoints)));
  out.push_back(single("kernelgate_routes_version", MetricType::Gauge,
                       "Counts up with every applied configuration.",
                       static_cast<double>(facts.routes_version)));
  out.push_back(by_result("kernelgate_config_reloads_total", "Configuration reloads by result.",
                          {facts.reloads_ok, facts.reloads_failed}));
  out.push_back(by_result("kernelgate_certificate_reloads_total",
                          "Certificates and client CAs that changed on disk, by result.",
                          facts.certificate_reloads));
  out.push_back(by_result("kernelgate_ticket_key_reloads_total",
                          "Changes of the file of ticket keys, by result.",
                          facts.ticket_key_reloads));
  out.push_back(by_result("kernelgate_revocation_reloads_total",
                          "Changes of revocations_file, by result.", facts.revocation_reloads));
  out.push_back(single("kernelgate_revocations", MetricType::Gauge, "Revocations that count now.",
                       static_cast<double>(facts.revocations)));
  out.push_back(by_result("kernelgate_session_file_reloads_total",
                          "Changes of files with session keys or opaque tokens, by result.",
                          facts.session_file_reloads));
  out.push_back(by_result("kernelgate_kernel_id_key_reloads_total",
                          "Changes of the file of kernel-id keys, by result.",
                          facts.kernel_id_key_reloads));
  MetricFamily ends = make_family("kernelgate_certificate_not_after_seconds", MetricType::Gauge,
                                  "End of a served certificate, seconds since the epoch.");
  for (const CertificateFact& fact : facts.certificates) {
    add_sample(ends, {{"listener", fact.listener}, {"certificate", fact.certificate}},
               static_cast<double>(fact.not_after_s));
  }
  out.push_back(std::move(ends));
}

void Exporter::Collector::collect_fetches(const ProcessFacts& facts, Families& out) {
  MetricFamily fetches = make_family("kernelgate_fetches_total", MetricType::Counter,
                                     "Exchanges with issuers and authentication services.");
  for (const FetchFact& fact : facts.fetches) {
    add_sample(fetches,
               {{"purpose", std::string(fact.purpose)}, {"result", std::string(fact.result)}},
               static_cast<double>(fact.count));
  }
  out.push_back(std::move(fetches));
  out.push_back(single("kernelgate_fetches_waiting", MetricType::Gauge,
                       "Such exchanges that have begun and not ended.",
                       static_cast<double>(facts.fetches_waiting)));
  out.push_back(single("kernelgate_session_keys_age_seconds", MetricType::Gauge,
                       "Since the oldest of the issuers' keys were fetched; -1 without keys.",
                       static_cast<double>(facts.session_keys_age_s)));
}

void Exporter::Collector::collect_feed(const FeedFact& facts, Families& out) {
  const auto gauge = [&out](const char* name, const char* help, double value) {
    out.push_back(single(name, MetricType::Gauge, help, value));
  };
  gauge("kernelgate_feed_term",
        "Of the version that serves: transitions of the controllers' Lease.",
        static_cast<double>(facts.term));
  gauge("kernelgate_feed_sequence", "Of the version that serves, within its term.",
        static_cast<double>(facts.sequence));
  gauge("kernelgate_feed_age_seconds", "Since the version that serves was known to be the newest.",
        facts.age_seconds);
  gauge("kernelgate_feed_items", "Endpoints and what belongs to them, as announced.",
        static_cast<double>(facts.items));
  gauge("kernelgate_feed_controllers", "Controllers that are connected.",
        static_cast<double>(facts.connected));
  out.push_back(single("kernelgate_feed_updates_total", MetricType::Counter,
                       "Updates that were applied.", static_cast<double>(facts.updates)));
  MetricFamily rejected = make_family("kernelgate_feed_rejected_total", MetricType::Counter,
                                      "Updates that changed nothing.");
  for (const auto& [reason, count] : facts.rejected) {
    add_sample(rejected, {{"reason", std::string(reason)}}, static_cast<double>(count));
  }
  out.push_back(std::move(rejected));
  MetricFamily said = make_family("kernelgate_feed_facts_total", MetricType::Counter,
                                  "What replicas tell each other: renewals and revocations.");
  for (const auto& [result, count] : facts.facts) {
    add_sample(said, {{"result", std::string(result)}}, static_cast<double>(count));
  }
  out.push_back(std::move(said));
}

void Exporter::Collector::collect_workers(Families& out) const {
  const auto sum = [this](Cell WorkerMetrics::*cell) {
    return sum_over(workers_, [cell](const WorkerMetrics& worker) { return (worker.*cell).get(); });
  };
  for (const CellMetric& row : kCells) {
    out.push_back(single(row.name, row.type, row.help, sample_value(row.type, sum(row.cell))));
  }
  MetricFamily handshakes = make_family("kernelgate_tls_handshakes_total", MetricType::Counter,
                                        "TLS handshakes with clients that succeeded, by kind.");
  add_sample(handshakes, {{"kind", "full"}},
             static_cast<double>(sum(&WorkerMetrics::tls_handshakes_full)));
  add_sample(handshakes, {{"kind", "resumed"}},
             static_cast<double>(sum(&WorkerMetrics::tls_handshakes_resumed)));
  out.push_back(std::move(handshakes));
  MetricFamily upstream =
      make_family("kernelgate_upstream_tls_handshakes_total", MetricType::Counter,
                  "TLS handshakes with gateway pods that succeeded, by kind.");
  add_sample(upstream, {{"kind", "full"}},
             static_cast<double>(sum(&WorkerMetrics::upstream_tls_full)));
  add_sample(upstream, {{"kind", "resumed"}},
             static_cast<double>(sum(&WorkerMetrics::upstream_tls_resumed)));
  out.push_back(std::move(upstream));
  for (const LabelledMetric& row : kLabelled) {
    MetricFamily family = make_family(row.name, MetricType::Counter, row.help);
    for (uint8_t i = 0; i < row.count; ++i) {
      const uint64_t cells = sum_over(
          workers_, [&](const WorkerMetrics& worker) { return row.cell(worker, i).get(); });
      add_sample(family, {{row.label, std::string(row.value(i))}}, static_cast<double>(cells));
    }
    out.push_back(std::move(family));
  }
  for (const HistogramMetric& row : kHistograms) {
    MetricFamily family = make_family(row.name, MetricType::Histogram, row.help);
    family.metric.emplace_back().histogram = sum_histogram(
        workers_,
        [&](const WorkerMetrics& worker) -> const Histogram& { return worker.*row.histogram; });
    out.push_back(std::move(family));
  }
}

void Exporter::Collector::collect_pings(Families& out) const {
  MetricFamily pings = make_family("kernelgate_websocket_pings_total", MetricType::Counter,
                                   "Pings of the proxy's own to a silent side of a WebSocket.");
  MetricFamily times = make_family("kernelgate_websocket_ping_seconds", MetricType::Histogram,
                                   "Time from a ping of the proxy's own to its pong.");
  for (size_t side = 0; side < kSideNames.size(); ++side) {
    const Labels labels{{"side", kSideNames[side]}};
    const uint64_t sent = sum_over(
        workers_, [side](const WorkerMetrics& w) { return w.websocket_pings[side].get(); });
    add_sample(pings, labels, static_cast<double>(sent));
    ClientMetric& metric = times.metric.emplace_back();
    metric.label = labels;
    metric.histogram = sum_histogram(workers_, [side](const WorkerMetrics& w) -> const Histogram& {
      return w.websocket_ping[side];
    });
  }
  out.push_back(std::move(pings));
  out.push_back(std::move(times));
}

void Exporter::Collector::collect_operations(Families& out) const {
  for (const OperationMetric& row : kOperationHistograms) {
    MetricFamily family = make_family(row.name, MetricType::Histogram, row.help);
    for (size_t operation = 0; operation < kOperations; ++operation) {
      for (size_t code = 0; code < kCodeClasses; ++code) {
        ClientMetric metric;
        metric.histogram =
            sum_histogram(workers_, [&](const WorkerMetrics& worker) -> const Histogram& {
              return (worker.operations[operation].*row.histograms)[code];
            });
        if (metric.histogram.sample_count == 0) continue;
        metric.label = {{"operation", operation_names_[operation]}, {"code", kCodeNames[code]}};
        family.metric.push_back(std::move(metric));
      }
    }
    out.push_back(std::move(family));
  }
}

MetricFamily Exporter::Collector::by_direction(const std::vector<EndpointName>& names,
                                               const char* name, const char* help,
                                               std::array<Cell, 2> EndpointMetrics::*cells) const {
  return by_endpoint(names, name, MetricType::Counter, help,
                     [cells](MetricFamily& family, const Labels& labels, auto sum) {
                       for (size_t i = 0; i < kDirectionNames.size(); ++i) {
                         const uint64_t value =
                             sum([&](const EndpointMetrics& e) { return (e.*cells)[i].get(); });
                         add_sample(family, with(labels, "direction", kDirectionNames[i]),
                                    static_cast<double>(value));
                       }
                     });
}

void Exporter::Collector::collect_endpoints(Families& out) const {
  const std::vector<EndpointName> names = slots_.names();
  out.push_back(by_endpoint(
      names, "kernelgate_requests_total", MetricType::Counter,
      "Finished exchanges by status code class.",
      [](MetricFamily& family, const Labels& labels, auto sum) {
        for (size_t code = 0; code < kCodeClasses; ++code) {
          const uint64_t value =
              sum([=](const EndpointMetrics& e) { return e.requests[code].get(); });
          if (value == 0 && code != kCode2xx) continue;
          add_sample(family, with(labels, "code", kCodeNames[code]), static_cast<double>(value));
        }
      }));
  out.push_back(by_endpoint(
      names, "kernelgate_kernel_launches_total", MetricType::Counter,
      "Kernel starts that were answered, by result.",
      [](MetricFamily& family, const Labels& labels, auto sum) {
        const uint64_t ok = sum([](const EndpointMetrics& e) { return e.launches_ok.get(); });
        const uint64_t failed =
            sum([](const EndpointMetrics& e) { return e.launches_failed.get(); });
        add_sample(family, with(labels, "result", "ok"), static_cast<double>(ok));
        add_sample(family, with(labels, "result", "failed"), static_cast<double>(failed));
      }));
  for (const EndpointCellMetric& row : kEndpointCells) {
    out.push_back(by_endpoint(names, row.name, row.type, row.help,
                              [&row](MetricFamily& family, const Labels& labels, auto sum) {
                                const uint64_t value = sum(
                                    [&](const EndpointMetrics& e) { return (e.*row.cell).get(); });
                                add_sample(family, labels, sample_value(row.type, value));
                              }));
  }
  out.push_back(by_direction(names, "kernelgate_websocket_messages_total",
                             "WebSocket data messages relayed, by direction.",
                             &EndpointMetrics::messages));
  out.push_back(by_direction(names, "kernelgate_payload_bytes_total",
                             "Bytes of bodies and WebSocket payloads relayed, by direction.",
                             &EndpointMetrics::bytes));
  out.push_back(by_endpoint(
      names, "kernelgate_errors_total", MetricType::Counter,
      "Exchanges that ended with an error, by reason.",
      [](MetricFamily& family, const Labels& labels, auto sum) {
        for (uint8_t code = 1; code < kErrorCodeCount; ++code) {
          const uint64_t value =
              sum([=](const EndpointMetrics& e) { return e.errors[code].get(); });
          if (value == 0) continue;
          const std::string_view reason = error_row(static_cast<ErrorCode>(code)).label;
          add_sample(family, with(labels, "reason", reason), static_cast<double>(value));
        }
      }));
}

Exporter::Exporter(const EndpointSlots& slots, const KernelSpecs& specs,
                   std::vector<std::string> operation_names, std::function<ProcessFacts()> facts)
    : collector_(std::make_unique<Collector>(slots, specs, std::move(operation_names),
                                             std::move(facts))) {}
Exporter::~Exporter() = default;

void Exporter::add_worker(const WorkerMetrics* worker) { collector_->add_worker(worker); }

std::string Exporter::text() const {
  return prometheus::TextSerializer().Serialize(collector_->Collect());
}

}  // namespace kg::metrics
