// bench-cell: the time of one small cell on real kernels over several ways to the same gateway, a
// few cells on each way in turn, so that whatever drifts meets all ways. Prints one JSON object.
//
// Exit code: 0 all cells right; 1 not, or stopped. Every kernel is deleted on every path.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "bench/load/connection.h"
#include "bench/load/kernel_client.h"
#include "bench/load/percentiles.h"
#include "bench/load/target.h"

namespace kg::bench {
namespace {

constexpr int kWarmupCells = 3;  // the first cell of a kernel imports things

struct Options {
  std::vector<std::tuple<std::string, std::string, std::string>> ways;  // name, URL, token file
  std::string ca_file;
  int cells = 60;
  // Back to back, as "run all" does. A connection that rests between cells meets another state of
  // the kernel's delayed-ACK heuristics.
  int burst = 10;
  int pause_ms = 0;
};

Stop* g_stop = nullptr;  // for the signal handler alone; set before it is installed

void on_signal(int /*signal*/) { g_stop->request(); }

// One way to the gateway, with a kernel of its own.
struct Way {
  std::string name;
  Target target;
  std::unique_ptr<KernelClient> kernel;
  std::vector<double> cell_ms;
};

Outcome<void> prepare(const Options& options, const KernelWish& wish, const Stop& stop,
                      std::vector<Way>& ways) {
  for (const auto& [name, url, token_file] : options.ways) {
    Way& way = ways.emplace_back();  // reserved: targets do not move
    way.name = name;
    auto target = make_target(url, Trust{options.ca_file, false});
    if (!target) return target.failure();
    auto token = read_token(token_file);
    if (!token) return token.failure();
    way.target = std::move(*target);
    way.target.token = std::move(*token);
    way.kernel = std::make_unique<KernelClient>(way.target, wish, stop);
    auto done = way.kernel->start();
    if (done) done = way.kernel->connect();
    for (int i = 0; done && i < kWarmupCells; ++i) done = way.kernel->run_cell(Cell{});
    if (!done) return Failure{name + ": " + done.failure().kind, done.failure().detail};
  }
  return {};
}

Outcome<void> run_burst(const Options& options, int cells, const Stop& stop, Way& way) {
  for (int i = 0; i < cells; ++i) {
    rest(std::chrono::milliseconds(options.pause_ms), &stop);
    const Clock::time_point begin = Clock::now();
    auto done = way.kernel->run_cell(Cell{});
    if (!done) return Failure{way.name + ": " + done.failure().kind, done.failure().detail};
    way.cell_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  return {};
}

Outcome<void> measure(const Options& options, const Stop& stop, std::vector<Way>& ways) {
  size_t first = 0;
  for (int left = options.cells; left > 0; left -= options.burst) {
    for (size_t k = 0; k < ways.size(); ++k) {
      auto done =
          run_burst(options, std::min(left, options.burst), stop, ways[(first + k) % ways.size()]);
      if (!done) return done;
    }
    ++first;
  }
  return {};
}

int run(const Options& options) {
  Stop stop;
  g_stop = &stop;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
  const KernelWish wish;
  std::vector<Way> ways;
  ways.reserve(options.ways.size());
  auto done = prepare(options, wish, stop, ways);
  if (done) done = measure(options, stop, ways);
  bool removed = true;
  for (Way& way : ways) {
    auto gone = way.kernel ? way.kernel->remove() : Outcome<void>();
    if (gone) continue;
    removed = false;
    fmt::print(stderr, "bench-cell: kernel {} was not deleted: {}\n", way.kernel->id(),
               gone.failure().kind);
  }
  if (!done) {
    fmt::print(stderr, "bench-cell: {} {}\n", done.failure().kind, done.failure().detail);
    return 1;
  }
  nlohmann::ordered_json report = nlohmann::ordered_json::object();
  for (const Way& way : ways) {
    const Percentiles times = percentiles_of(way.cell_ms);
    report[way.name] = {{"count", times.count},
                        {"p50_ms", times.p50},
                        {"p90_ms", times.p90},
                        {"p99_ms", times.p99},
                        {"max_ms", times.max}};
  }
  fmt::print("{}\n", report.dump());
  return removed ? 0 : 1;
}

}  // namespace
}  // namespace kg::bench

int main(int argc, char** argv) {
  CLI::App app("Times a 1+1 cell over several ways to one gateway.");
  kg::bench::Options options;
  app.add_option("--way", options.ways, "NAME URL TOKEN_FILE; give it once for each way")
      ->required();
  app.add_option("--ca-file", options.ca_file, "PEM file of the authorities to trust");
  app.add_option("--cells", options.cells, "Cells on each way")->check(CLI::Range(1, 100'000));
  app.add_option("--burst", options.burst, "Cells on one way before the next has its turn")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--pause-ms", options.pause_ms, "Rest before each cell")
      ->check(CLI::Range(0, 60'000));
  CLI11_PARSE(app, argc, argv);
  return kg::bench::run(options);
}
