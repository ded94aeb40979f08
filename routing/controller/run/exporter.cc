#include "routing/controller/run/exporter.h"

#include <prometheus/text_serializer.h>

#include "metrics/families.h"
#include "metrics/process_usage.h"

namespace kg::controller {
namespace {

using metrics::add_sample;
using metrics::make_family;
using metrics::MetricFamily;
using metrics::MetricType;
using metrics::single;
using Families = std::vector<MetricFamily>;

double seconds(uint64_t us) noexcept { return static_cast<double>(us) / metrics::kSecondInMicros; }
double number(uint64_t value) noexcept { return static_cast<double>(value); }

void gauge(Families& out, const char* name, const char* help, double value) {
  out.push_back(single(name, MetricType::Gauge, help, value));
}
void counter(Families& out, const char* name, const char* help, uint64_t value) {
  out.push_back(single(name, MetricType::Counter, help, number(value)));
}

template <class Get>
void by_kind(Families& out, const ControllerFacts& facts, const char* name, MetricType type,
             const char* help, Get&& get) {
  MetricFamily family = make_family(name, type, help);
  for (const KindFact& kind : facts.kinds)
    add_sample(family, {{"kind", std::string(kind.kind)}}, get(kind));
  out.push_back(std::move(family));
}

void add_process(const ControllerFacts& facts, Families& out) {
  gauge(out, "kernelgate_controller_process_start_time_seconds",
        "Start of the process, seconds since the epoch.", facts.start_time_seconds);
  gauge(out, "kernelgate_controller_process_resident_memory_bytes",
        "Resident memory of the process.", number(metrics::resident_bytes()));
  gauge(out, "kernelgate_controller_process_open_fds", "File descriptors that are open now.",
        number(metrics::open_fds()));
  gauge(out, "kernelgate_controller_leader", "1 while this controller leads, else 0.",
        facts.leads ? 1 : 0);
  gauge(out, "kernelgate_controller_synced",
        "1 once every list of the API server is complete, else 0.", facts.synced ? 1 : 0);
}

void add_lists(const ControllerFacts& facts, Families& out) {
  by_kind(out, facts, "kernelgate_controller_objects", MetricType::Gauge,
          "Objects that are watched.", [](const KindFact& kind) { return number(kind.objects); });
  by_kind(out, facts, "kernelgate_controller_watch_lag_seconds", MetricType::Gauge,
          "How long changes may have gone unseen; 0 while watches are open.",
          [](const KindFact& kind) { return seconds(kind.lag_us); });
  by_kind(out, facts, "kernelgate_controller_watch_quiet_seconds", MetricType::Gauge,
          "Since the last list, event or bookmark of the API server.",
          [](const KindFact& kind) { return seconds(kind.quiet_us); });
  by_kind(out, facts, "kernelgate_controller_lists_total", MetricType::Counter,
          "Whole lists that were taken: the first one, and each relist.",
          [](const KindFact& kind) { return number(kind.lists); });
  by_kind(out, facts, "kernelgate_controller_list_watch_errors_total", MetricType::Counter,
          "Lists and watches that failed or broke; each is tried again.",
          [](const KindFact& kind) { return number(kind.errors); });
  by_kind(out, facts, "kernelgate_controller_full_namespaces", MetricType::Gauge,
          "Namespaces with more objects than are kept: what is beyond is left out.",
          [](const KindFact& kind) { return number(kind.full); });
  MetricFamily forbidden =
      make_family("kernelgate_controller_list_forbidden", MetricType::Gauge,
                  "1 for what the API server lets nobody list or watch for want of a right.");
  for (const ListProblem& one : facts.forbidden)
    add_sample(forbidden, {{"resource", one.what}, {"namespace", one.namespace_name}}, 1);
  out.push_back(std::move(forbidden));
}

MetricFamily object_errors(const ControllerFacts& facts) {
  MetricFamily family = make_family("kernelgate_controller_object_errors", MetricType::Gauge,
                                    "Errors of an object now, of so many objects as are told.");
  for (const auto& [object, errors] : facts.object_errors) {
    if (family.metric.size() == kObjectErrorsMax) break;
    add_sample(family,
               {{"kind", std::string(ingress::name_of(object.kind))},
                {"namespace", object.name.space},
                {"name", object.name.name}},
               number(errors));
  }
  return family;
}

MetricFamily compile_seconds(const metrics::Histogram& histogram) {
  MetricFamily family =
      make_family("kernelgate_controller_compile_seconds", MetricType::Histogram,
                  "Time of a run of the compiler over the Ingresses that a change concerns.");
  metrics::ClientMetric& metric = family.metric.emplace_back();
  for (size_t i = 0; i <= metrics::kLatencyBoundsUs.size(); ++i) {
    metric.histogram.sample_count += histogram.bucket(i);
    if (i == metrics::kLatencyBoundsUs.size()) continue;
    metric.histogram.bucket.push_back(
        {metric.histogram.sample_count, seconds(metrics::kLatencyBoundsUs[i])});
  }
  metric.histogram.sample_sum = seconds(histogram.sum_us());
  return family;
}

void add_compiler(const ControllerFacts& facts, Families& out) {
  MetricFamily ingresses =
      make_family("kernelgate_controller_ingresses", MetricType::Gauge,
                  "Ingresses that become endpoints: ours, and others' that are only read.");
  add_sample(ingresses, {{"state", "ours"}}, number(facts.ingresses_ours));
  add_sample(ingresses, {{"state", "observed"}}, number(facts.ingresses_observed));
  out.push_back(std::move(ingresses));
  MetricFamily endpoints =
      make_family("kernelgate_controller_endpoints", MetricType::Gauge,
                  "Endpoints that are published: as their Ingress says, or as it last said well.");
  add_sample(endpoints, {{"state", "current"}},
             number(facts.endpoints_published - facts.endpoints_last_good));
  add_sample(endpoints, {{"state", "last_good"}}, number(facts.endpoints_last_good));
  out.push_back(std::move(endpoints));
  gauge(out, "kernelgate_controller_certificates", "Certificates that are published.",
        number(facts.certificates));
  gauge(out, "kernelgate_controller_left_out",
        "Ingresses and Secrets for which their namespace, or the feed, has no room.",
        number(facts.left_out));
  MetricFamily findings = make_family("kernelgate_controller_findings", MetricType::Gauge,
                                      "What is wrong with objects now; Events name them.");
  for (const auto& [what, count] : facts.findings) {
    add_sample(findings, {{"severity", std::string(what.first)}, {"reason", what.second}},
               number(count));
  }
  out.push_back(std::move(findings));
  out.push_back(object_errors(facts));
  counter(out, "kernelgate_controller_compiled_total", "Ingresses that were compiled.",
          facts.compiled);
  if (facts.compile != nullptr) out.push_back(compile_seconds(*facts.compile));
}

void add_feed(const ControllerFacts& facts, Families& out) {
  gauge(out, "kernelgate_controller_feed_term", "Term of the version that is published.",
        number(facts.version.term));
  gauge(out, "kernelgate_controller_feed_sequence",
        "Sequence of the version that is published, within the term.",
        number(facts.version.sequence));
  gauge(out, "kernelgate_controller_feed_items", "Items that are published.", number(facts.items));
  gauge(out, "kernelgate_controller_feed_item_bytes", "Bytes of those items.",
        number(facts.item_bytes));
  MetricFamily proxies = make_family(
      "kernelgate_controller_proxies", MetricType::Gauge,
      "Connected proxies: with the newest version, behind it, or following another controller.");
  add_sample(proxies, {{"state", "current"}}, number(facts.proxies_current));
  add_sample(proxies, {{"state", "behind"}}, number(facts.proxies_behind));
  add_sample(proxies, {{"state", "resting"}}, number(facts.proxies_resting));
  out.push_back(std::move(proxies));
  const feed::PublisherCounts& feed = facts.feed;
  counter(out, "kernelgate_controller_publishes_total", "Versions that were published.",
          feed.published);
  counter(out, "kernelgate_controller_feed_bytes_sent_total", "Bytes of updates sent to proxies.",
          feed.bytes_sent);
  counter(out, "kernelgate_controller_feed_snapshots_total",
          "Whole states that were sent instead of changes.", feed.snapshots);
  MetricFamily problems = make_family("kernelgate_controller_feed_problems_total",
                                      MetricType::Counter, "What went wrong with proxies.");
  for (const auto& [problem, count] : {std::pair{"refused", feed.refusals},
                                       {"diverged", feed.diverged},
                                       {"denied", feed.denied},
                                       {"unreadable", feed.unreadable},
                                       {"dropped", feed.dropped},
                                       {"fact_dropped", feed.facts_dropped}}) {
    add_sample(problems, {{"problem", problem}}, number(count));
  }
  out.push_back(std::move(problems));
}

void add_writes(const ControllerFacts& facts, Families& out) {
  MetricFamily writes = make_family("kernelgate_controller_writes_total", MetricType::Counter,
                                    "Events and statuses of Ingresses, by what became of them.");
  MetricFamily waiting = make_family("kernelgate_controller_writes_waiting", MetricType::Gauge,
                                     "Of those the ones that wait for their turn.");
  for (const WriteFact& fact : facts.writes) {
    const std::string what(fact.what);
    for (const auto& [result, count] : {std::pair{"ok", fact.counts.ok},
                                        {"failed", fact.counts.failed},
                                        {"retried", fact.counts.retried},
                                        {"dropped", fact.counts.dropped}}) {
      add_sample(writes, {{"what", what}, {"result", result}}, number(count));
    }
    add_sample(waiting, {{"what", what}}, number(fact.waiting));
  }
  out.push_back(std::move(writes));
  out.push_back(std::move(waiting));
}

}  // namespace

std::string metrics_text(const ControllerFacts& facts) {
  Families families;
  add_process(facts, families);
  add_lists(facts, families);
  add_compiler(facts, families);
  add_feed(facts, families);
  add_writes(facts, families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace kg::controller
