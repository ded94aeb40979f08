// kernelgate-load: starts real kernels through a gateway or proxy, runs cells on them by the kernel
// protocol, checks every answer, and deletes what it created.
//
// Exit code: 0 all cells right; 1 not; 2 a wrong call; 130 or 143 stopped by a signal.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <ctime>
#include <fstream>
#include <map>
#include <string>

#include "bench/load/load_run.h"
#include "bench/load/report.h"
#include "bench/load/target.h"

namespace kg::bench {
namespace {

constexpr int kKernelsWithoutYes = 20;  // each costs a gateway 50 MB and more: ask before that
constexpr int kKernelsMax = 1'000;      // a thread each
constexpr int kUsageExit = 2;

struct Options {
  std::string url;
  std::string token_file;
  Trust trust;
  LoadPlan plan;
  int64_t timeout_ms = 60'000;
  std::string json_file;
  bool yes = false;
};

void add_options(CLI::App& app, Options& options) {
  app.add_option("--url", options.url, "http[s]://host[:port][/prefix] of the endpoint")
      ->required();
  app.add_option("--token-file", options.token_file, "File with the session token")->required();
  app.add_option("--kernels", options.plan.kernels, "Kernels to start, all at once")
      ->required()
      ->check(CLI::Range(1, kKernelsMax));
  app.add_option("--cells", options.plan.cells, "Cells to run on each kernel")
      ->required()
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--ca-file", options.trust.ca_file, "PEM file of the authorities to trust");
  app.add_flag("--insecure", options.trust.insecure, "Accept any certificate");
  app.add_option("--kernel-name", options.plan.wish.kernel_name, "Kernel spec")
      ->capture_default_str();
  app.add_option("--username", options.plan.wish.username, "KERNEL_USERNAME of the kernels")
      ->capture_default_str();
  app.add_option("--code", options.plan.cell.code, "Code of each cell")->capture_default_str();
  app.add_option("--expect", options.plan.cell.expected,
                 "Text that each cell must result in; for the default code 2, for other code any");
  app.add_option("--timeout", options.timeout_ms, "Limit of each step: 500ms, 60s, 5m")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, int64_t>{{"ms", 1}, {"s", 1'000}, {"m", 60'000}},
          CLI::AsNumberWithUnit::UNIT_REQUIRED))
      ->check(CLI::Range(int64_t{1}, int64_t{3'600'000}))
      ->default_str("60s");
  app.add_option("--json", options.json_file, "File to write the report to as JSON");
  app.add_flag("--yes", options.yes, fmt::format("Allow more than {} kernels", kKernelsWithoutYes));
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

// Waits for the run to end; returns the signal that stopped it, or 0.
int watch(LoadRun& run, Stop& stop, Progress& progress) {
  const sigset_t signals = stop_signals();
  int stopped_by = 0;
  while (!run.finished()) {
    const timespec fifth{0, 200'000'000};
    const int signal = sigtimedwait(&signals, nullptr, &fifth);
    if (signal > 0 && stopped_by != 0) {
      progress.finish();
      for (const std::string& id : run.live_kernels()) fmt::print("not deleted: {}\n", id);
      std::fflush(stdout);
      _exit(128 + signal);
    }
    if (signal > 0) {
      stopped_by = signal;
      stop.request();
      progress.say("stopping: deleting the kernels; again to leave them behind");
    }
    progress.draw();
  }
  progress.finish();
  return stopped_by;
}

int run_load(Options& options) {
  const auto refuse = [](const Failure& failure) {
    fmt::print(stderr, "kernelgate-load: {}: {}\n", failure.kind, failure.detail);
    return kUsageExit;
  };
  if (options.plan.kernels > kKernelsWithoutYes && !options.yes) {
    fmt::print(stderr, "kernelgate-load: {} kernels are many for one gateway: add --yes to go on\n",
               options.plan.kernels);
    return kUsageExit;
  }
  options.plan.wish.timeout = std::chrono::milliseconds(options.timeout_ms);
  auto target = make_target(options.url, options.trust);
  if (!target) return refuse(target.failure());
  auto token = read_token(options.token_file);
  if (!token) return refuse(token.failure());
  target->token = std::move(*token);

  // Blocked before any thread starts, so that only watch() takes them. A peer that has gone is
  // reported by the write, not by SIGPIPE.
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  Stop stop;
  LoadRun run(*target, options.plan, stop);
  Progress progress(options.plan, run);
  run.start();
  const int stopped_by = watch(run, stop, progress);
  const LoadResult result = run.finish();
  fmt::print("{}", report_text(options.plan, result));
  bool written = true;
  if (!options.json_file.empty()) {
    std::ofstream file(options.json_file);
    file << report_json(options.url, options.plan, result);
    written = static_cast<bool>(file.flush());
    if (!written) fmt::print(stderr, "kernelgate-load: cannot write {}\n", options.json_file);
  }
  if (stopped_by != 0) return 128 + stopped_by;
  return written && all_right(options.plan, result) ? 0 : 1;
}

}  // namespace
}  // namespace kg::bench

int main(int argc, char** argv) {
  CLI::App app("Runs cells on real Jupyter kernels through a gateway and checks every answer.");
  kg::bench::Options options;
  kg::bench::add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kg::bench::kUsageExit;
  }
  if (app.count("--code") > 0 && app.count("--expect") == 0) options.plan.cell.expected.clear();
  return kg::bench::run_load(options);
}
