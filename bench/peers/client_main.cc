// bench-client: the load of bench/run. N connections in a closed loop from one thread, for a fixed
// time, with the CPU time of other processes read at both ends of the measured window. Prints one
// JSON object. Exit code 1 if anything failed.
#include <fmt/core.h>
#include <sys/epoll.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/load/percentiles.h"
#include "bench/peers/cpu_clock.h"
#include "bench/peers/loop_connection.h"

namespace kg::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kEventsPerWait = 256;
constexpr int kStallMs = 5'000;  // no answer on any connection: the peer is stuck
// The same work for every contestant, whatever its preferences. The group is X25519 for the same
// reason.
constexpr const char* kCipherSuite = "TLS_AES_256_GCM_SHA384";

struct Options {
  std::string url;
  std::string token_file;
  std::string ca_file;
  std::string mode = "get";
  int connections = 32;
  double seconds = 3;
  double warmup_seconds = 0.5;
  std::vector<pid_t> cpu_of;
  Workload workload;
};

class ClosedLoop {
 public:
  ClosedLoop(const Target& target, const Options& options) : target_(target), options_(options) {}

  Outcome<void> open();
  // Runs for `time`; counts are of this run alone.
  Outcome<void> run(Seconds time);
  uint64_t exchanges() const { return static_cast<uint64_t>(latency_us_.size()); }
  const std::vector<double>& latency_us() const { return latency_us_; }
  double seconds() const { return seconds_; }

 private:
  struct Slot {
    std::unique_ptr<LoopConnection> connection;
    Clock::time_point sent;
  };
  Outcome<void> send_next(Slot& slot);

  const Target& target_;
  const Options& options_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Slot> slots_;
  std::vector<double> latency_us_;
  double seconds_ = 0;
};

Outcome<void> ClosedLoop::send_next(Slot& slot) {
  slot.sent = Clock::now();
  return slot.connection->send_next();
}

Outcome<void> ClosedLoop::open() {
  slots_.resize(static_cast<size_t>(options_.connections));
  for (Slot& slot : slots_) {
    slot.connection = std::make_unique<LoopConnection>(target_, options_.workload);
    auto opened = slot.connection->open();
    if (!opened) return opened;
  }
  for (Slot& slot : slots_) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &slot;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, slot.connection->fd(), &event) != 0) {
      return Failure{"epoll", "cannot watch a socket"};
    }
    auto sent = send_next(slot);
    if (!sent) return sent;
  }
  return {};
}

Outcome<void> ClosedLoop::run(Seconds time) {
  latency_us_.clear();
  latency_us_.reserve(static_cast<size_t>(time.count() * 200'000) + 1'000);
  std::array<epoll_event, kEventsPerWait> events;
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + std::chrono::duration_cast<Clock::duration>(time);
  for (Clock::time_point now = begin; now < end;) {
    const int ready = epoll_wait(epoll_, events.data(), kEventsPerWait, kStallMs);
    if (ready == 0) return Failure{"stall", "no answer for 5 s"};
    for (int i = 0; i < ready; ++i) {
      Slot& slot = *static_cast<Slot*>(events[static_cast<size_t>(i)].data.ptr);
      auto complete = slot.connection->on_readable();
      if (!complete) return complete.failure();
      if (!*complete) continue;
      now = Clock::now();
      latency_us_.push_back(std::chrono::duration<double, std::micro>(now - slot.sent).count());
      slot.sent = now;
      auto sent = slot.connection->send_next();
      if (!sent) return sent;
    }
  }
  seconds_ = Seconds(Clock::now() - begin).count();
  return {};
}

std::vector<int64_t> cpu_ns(const Options& options) {
  std::vector<int64_t> times;
  for (const pid_t pid : options.cpu_of) times.push_back(cpu_ns_of_tree(pid));
  return times;
}

int fail(const Failure& failure) {
  fmt::print(stderr, "bench-client: {}: {}\n", failure.kind, failure.detail);
  return 1;
}

int measure(const Options& options) {
  auto target = make_target(options.url, Trust{options.ca_file, options.ca_file.empty()});
  if (!target) return fail(target.failure());
  if (!options.token_file.empty()) {
    auto token = read_token(options.token_file);
    if (!token) return fail(token.failure());
    target->token = std::move(*token);
  }
  if (target->tls) {
    SSL_CTX_set_min_proto_version(target->context.get(), TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(target->context.get(), kCipherSuite);
    int group = NID_X25519;
    SSL_CTX_ctrl(target->context.get(), SSL_CTRL_SET_GROUPS, 1, &group);
    // One read call takes head and payload of a record.
    SSL_CTX_set_read_ahead(target->context.get(), 1);
  }
  ClosedLoop loop(*target, options);
  auto done = loop.open();
  if (done) done = loop.run(Seconds(options.warmup_seconds));
  if (!done) return fail(done.failure());

  const std::vector<int64_t> before = cpu_ns(options);
  const int64_t own_before = cpu_ns_of_this_process();
  done = loop.run(Seconds(options.seconds));
  const int64_t own_after = cpu_ns_of_this_process();
  const std::vector<int64_t> after = cpu_ns(options);
  if (!done) return fail(done.failure());

  const auto exchanges = static_cast<double>(loop.exchanges());
  std::vector<double> cpu_us;
  for (size_t i = 0; i < before.size(); ++i) {
    cpu_us.push_back(static_cast<double>(after[i] - before[i]) / 1'000 / exchanges);
  }
  const Percentiles latency = percentiles_of(loop.latency_us());
  const nlohmann::ordered_json report = {
      {"mode", options.mode},
      {"connections", options.connections},
      {"seconds", loop.seconds()},
      {"exchanges", loop.exchanges()},
      {"per_second", exchanges / loop.seconds()},
      {"p50_us", latency.p50},
      {"p99_us", latency.p99},
      {"max_us", latency.max},
      {"cpu_us", cpu_us},
      {"client_cpu_us", static_cast<double>(own_after - own_before) / 1'000 / exchanges}};
  fmt::print("{}\n", report.dump());
  return 0;
}

}  // namespace
}  // namespace kg::bench

int main(int argc, char** argv) {
  CLI::App app("Closed-loop load for bench/run.");
  kg::bench::Options options;
  app.add_option("--url", options.url, "http[s]://localhost:PORT[/prefix]")->required();
  app.add_option("--token-file", options.token_file, "File with the token to send");
  app.add_option("--ca-file", options.ca_file, "Authorities to trust; without it, any certificate");
  app.add_option("--mode", options.mode, "get or ws")->check(CLI::IsMember({"get", "ws"}));
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 20'000));
  app.add_option("--seconds", options.seconds, "Measured window")->check(CLI::Range(0.05, 3'600.0));
  app.add_option("--warmup", options.warmup_seconds, "Seconds of load before it")
      ->check(CLI::Range(0.0, 60.0));
  app.add_option("--cpu-of", options.cpu_of, "Processes whose CPU time, with children, is read");
  app.add_option("--message-bytes", options.workload.message_bytes, "Payload of ws messages")
      ->check(CLI::Range(200, 65'535));
  CLI11_PARSE(app, argc, argv);
  options.workload.websocket = options.mode == "ws";
  std::signal(SIGPIPE, SIG_IGN);
  return kg::bench::measure(options);
}
