#include "routing/controller/issuer/counts.h"

#include <fmt/core.h>

namespace kg::issuer {
namespace {

constexpr std::string_view kPrefix = "kernelgate_credentials_";

void add_head(std::string_view name, std::string_view type, std::string_view help,
              std::string& out) {
  out += fmt::format("# HELP {0}{1} {2}\n# TYPE {0}{1} {3}\n", kPrefix, name, help, type);
}

void add_metric(std::string_view name, std::string_view type, std::string_view help, uint64_t value,
                std::string& out) {
  add_head(name, type, help, out);
  out += fmt::format("{}{} {}\n", kPrefix, name, value);
}

}  // namespace

std::string metrics_text(const Counts& counts, size_t open_connections) {
  std::string out;
  add_head("calls_total", "counter", "Calls of the session credentials API, by outcome.", out);
  for (size_t i = 0; i < kOutcomes; ++i) {
    out += fmt::format("{}calls_total{{outcome=\"{}\"}} {}\n", kPrefix,
                       outcome_name(static_cast<Outcome>(i)), counts.calls[i]);
  }
  add_metric("reviews_total", "counter", "Reviews that the API server was asked for.",
             counts.reviews, out);
  add_metric("review_errors_total", "counter", "Reviews without an answer that can be used.",
             counts.review_errors, out);
  add_metric("connections_total", "counter", "Connections that were accepted.", counts.connections,
             out);
  add_metric("connections_refused_total", "counter", "Connections above the bound, closed at once.",
             counts.connections_refused, out);
  add_metric("connections_open", "gauge", "Open connections.", open_connections, out);
  return out;
}

}  // namespace kg::issuer
