#include "bench/load/report.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "bench/load/percentiles.h"

namespace kg::bench {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr int64_t kBarWidth = 30;                 // fits 80 columns with the counts beside it
constexpr std::chrono::seconds kPlainSeconds{5};  // between plain lines: short logs of long runs

OrderedJson json_of(const Percentiles& times) {
  return {{"count", times.count},
          {"p50_ms", times.p50},
          {"p90_ms", times.p90},
          {"p99_ms", times.p99},
          {"max_ms", times.max}};
}

std::string row_of(const char* name, const std::vector<double>& values) {
  const Percentiles times = percentiles_of(values);
  if (times.count == 0) return fmt::format("{:<14}{:>7}{:>10}\n", name, 0, "-");
  return fmt::format("{:<14}{:>7}{:>10.1f}{:>10.1f}{:>10.1f}{:>10.1f}\n", name, times.count,
                     times.p50, times.p90, times.p99, times.max);
}

// What a peer said may hold anything: a terminal gets only what it can show.
std::string printable(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f) c = ' ';
  }
  return text;
}

}  // namespace

Progress::Progress(const LoadPlan& plan, const LoadRun& run)
    : plan_(plan), run_(run), terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::clear_bar() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
  drawn_ = false;
}

void Progress::say(const std::string& line) {
  clear_bar();
  fmt::print(stderr, "{}\n", line);
}

void Progress::draw() {
  const int64_t total = static_cast<int64_t>(plan_.kernels) * plan_.cells;
  const std::string text =
      fmt::format("kernels {} started, {} of {} finished, cells {} of {}", run_.kernels_started(),
                  run_.kernels_finished(), plan_.kernels, run_.cells_done(), total);
  if (terminal_) {
    const auto filled =
        static_cast<size_t>(kBarWidth * run_.cells_done() / std::max<int64_t>(total, 1));
    const std::string bar = std::string(filled, '#') + std::string(size_t{kBarWidth} - filled, '.');
    fmt::print(stderr, "\r\033[K[{}] {}", bar, text);
    std::fflush(stderr);
    drawn_ = true;
    return;
  }
  const Clock::time_point now = Clock::now();
  if (text == last_text_ || now - last_line_ < kPlainSeconds) return;
  last_line_ = now;
  last_text_ = text;
  fmt::print(stderr, "{}\n", text);
}

void Progress::finish() { clear_bar(); }

bool all_right(const LoadPlan& plan, const LoadResult& result) {
  return result.cells_right == static_cast<int64_t>(plan.kernels) * plan.cells &&
         result.errors.empty() && result.left.empty();
}

std::string report_text(const LoadPlan& plan, const LoadResult& result) {
  std::string text = fmt::format("{:<14}{:>7}{:>10}{:>10}{:>10}{:>10}\n", "milliseconds", "count",
                                 "p50", "p90", "p99", "max");
  text += row_of("kernel start", result.start_ms);
  text += row_of("connect", result.connect_ms);
  text += row_of("cell", result.cell_ms);
  text += fmt::format("{} of {} cells right on {} of {} kernels in {:.1f} s\n", result.cells_right,
                      static_cast<int64_t>(plan.kernels) * plan.cells, result.kernels_started,
                      plan.kernels, result.seconds);
  for (const auto& [kind, error] : result.errors) {
    text += fmt::format("error: {} x{}{}{}\n", kind, error.count, error.example.empty() ? "" : ": ",
                        printable(error.example));
  }
  for (const std::string& id : result.left) {
    text += fmt::format("not deleted: {}\n", id);
  }
  if (result.perhaps_left > 0) {
    text += fmt::format(
        "{} launches ended without an answer: look for kernels of this user on the gateway\n",
        result.perhaps_left);
  }
  return text;
}

std::string report_json(const std::string& url, const LoadPlan& plan, const LoadResult& result) {
  OrderedJson errors = OrderedJson::object();
  for (const auto& [kind, error] : result.errors) {
    errors[kind] = {{"count", error.count}, {"example", error.example}};
  }
  const OrderedJson report = {{"url", url},
                              {"kernels", plan.kernels},
                              {"cells_per_kernel", plan.cells},
                              {"kernels_started", result.kernels_started},
                              {"cells_right", result.cells_right},
                              {"all_right", all_right(plan, result)},
                              {"seconds", result.seconds},
                              {"start", json_of(percentiles_of(result.start_ms))},
                              {"connect", json_of(percentiles_of(result.connect_ms))},
                              {"cell", json_of(percentiles_of(result.cell_ms))},
                              {"errors", errors},
                              {"kernels_left", result.left},
                              {"kernels_perhaps_left", result.perhaps_left}};
  // An example may quote bytes of a broken peer: what is not UTF-8 is replaced, never thrown over.
  return report.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace kg::bench
