#include "proxy/server/server.h"

#include <algorithm>
#include <csignal>
#include <cstring>

#include "config/loader.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/kernel/operation.h"
#include "proxy/server/descriptors.h"
#include "proxy/server/version.h"
#include "proxy/tls/library_error.h"

namespace kg::server {
namespace {

constexpr uint64_t kTrimEveryMs = 2'000;
constexpr uint64_t kTrimWorthConnections = 64;

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (uint8_t i = 0; i < kernel::kOperationCount; ++i) {
    names.emplace_back(kernel::operation_name(static_cast<kernel::Operation>(i)));
  }
  return names;
}

void log_errors(const std::vector<config::ConfigError>& errors) {
  for (const config::ConfigError& error : errors) {
    if (error.warning) {
      log::warn("config", "{}", config::format(error));
    } else {
      log::error("config", "{}", config::format(error));
    }
  }
}

}  // namespace

Server::Server(config::Config config)
    : config_(std::move(config)),
      slots_(config_.metrics_endpoints_max),
      sources_(fetcher_),
      exporter_(slots_, launches_.specs(), operation_names(), [this] { return facts(); }),
      monitoring_(loop_),
      feed_(loop_, feed_hooks()),
      renewals_(loop_, [this](const auth::Place& place,
                              auto some) { return feed_.tell_renewals(place, some); }),
      live_sessions_(loop_, crew_.workers, logs_),
      lame_duck_(loop_, [this] { drain(); }),
      trim_(loop_, [this] { trim_memory(); }),
      overload_(
          loop_, admission_, [this](metrics::Limit limit) { return hits(limit); },
          [this] { release_memory(); }),
      file_look_(loop_, [this] { look_at_files(); }),
      started_wall_us_(event::wall_us()) {}

Server::~Server() = default;

int Server::run() {
  const size_t count = config_.workers == 0 ? automatic_workers() : config_.workers;
  std::string problem;
  if (!logs_.open(config_, problem)) {
    log::error("server", "{}", problem);
    return 1;
  }
  const event::SignalWatcher term(loop_, SIGTERM, [this] { terminate(); });
  const event::SignalWatcher interrupt(loop_, SIGINT, [this] { terminate(); });
  const event::SignalWatcher hangup(loop_, SIGHUP, [this] { reload(); });
  const event::SignalWatcher reopen(loop_, SIGUSR1, [this] { logs_.reopen(); });
  const DescriptorBounds descriptors = raise_descriptor_limit(config_.settings.limits.connections);
  admission_.descriptor_mark = descriptors.mark;
  make_workers(count);
  if (!bind_listeners() || !start_monitoring() || !start_admin()) return 1;
  Prepared prepared = prepare(config_, ports_, crew_.seats, 1, tls_.own(), slots_, sources_, pods_);
  log_errors(prepared.errors);
  if (!prepared.usable()) return 2;
  start_workers(std::move(prepared));
  if (!start_feed()) return 2;
  announce_ready();
  trim_.arm_ms(kTrimEveryMs);
  overload_.start(config_.settings.limits);
  file_look_.arm_ms(limits::kFileLookMs);
  loop_.run();
  fetcher_.stop();  // before the workers: it answers to their loops
  for (const auto& worker : workers_) worker->stop_and_join();
  log::info("server", "stopped");
  return 0;
}

void Server::make_workers(size_t count) {
  const exchange::Logs logs = logs_.for_workers();
  crew_.open = std::vector<OpenCount>(count);
  routes_ = std::make_unique<routing::RouteBook>(slots_, sources_, pods_, count + 1);
  // The thread after the workers', in the order of routing::PodTls.
  pod_keeper_ = std::make_unique<PodKeeper>(loop_, count, slots_.capacity(), logs_);
  for (size_t i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, slots_.capacity(), crew_, logs, launches_,
                                                launch_desk_, admission_, session_board_,
                                                notebooks_));
    crew_.workers.push_back(workers_.back().get());
    crew_.seats.push_back(workers_.back()->certificate_seat());
    exporter_.add_worker(&workers_.back()->metrics());
    launches_.add_seat(workers_.back()->loop(), workers_.back()->metrics());
    launch_desk_.add_seat(workers_.back()->loop(), workers_.back()->metrics());
  }
}

void Server::start_workers(Prepared prepared) {
  routes_->adopt(std::move(prepared.routes), std::move(prepared.endpoints));
  tls_.adopt(config_, std::move(prepared.tls));
  live_sessions_.start(config_, std::move(prepared.revocations), std::move(prepared.admin_token));
  sessions_.adopt(std::move(prepared.session_files));
  kernel_ids_.adopt(config_);
  pod_keeper_->adopt(config_, routes_->endpoints());
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (config_.feed) workers_[i]->await_feed();
    workers_[i]->use_kernel_id_keys(kernel_ids_.keys());
    workers_[i]->set_configuration(std::move(prepared.listeners[i]), routes_->snapshot(),
                                   config_.settings);
  }
  if (config_.feed) use_replicas();
  fetcher_.start();
  for (const auto& worker : workers_) worker->start();
}

bool Server::bind_listeners() {
  for (const config::Listener& listener : config_.listeners) {
    uint16_t port = listener.address.port;
    for (const auto& worker : workers_) {
      const auto address = event::SocketAddress::parse(listener.address.host, port);
      Result<event::Socket> socket =
          address ? event::Socket::listen(*address)
                  : Result<event::Socket>(Error{ErrorCode::kConfiguration, "address", 0});
      if (!socket) {
        log::error(
            "server",
            "cannot listen on {}:{}: {} ({}); free the address or change listeners[].address",
            listener.address.host, port, std::strerror(socket.error().sys), socket.error().detail);
        return false;
      }
      port = socket->local_address().port();  // the first worker's choice when 0 was asked for
      worker->add_acceptor(std::move(*socket));
    }
    ports_.push_back(port);
  }
  return true;
}

bool Server::start_monitoring() {
  using Answer = event::StatusServer::Answer;
  monitoring_.add_page("/healthz", [] {
    return Answer{200, "application/json", "{\"status\":\"ok\"}\n"};
  });
  monitoring_.add_page("/readyz", [this] {
    const bool running = state_ == State::kRunning;
    const std::string feed = feed_.ready_members();
    if (running && feed_.ready())
      return Answer{200, "application/json", "{\"status\":\"ok\"" + feed + "}\n"};
    return Answer{
        503, "application/json",
        fmt::format("{{\"reason\":\"Service Unavailable\",\"message\":\"{}\"{}}}\n",
                    running ? "no controller has announced endpoints yet" : "draining", feed)};
  });
  monitoring_.add_page("/metrics", [this] {
    return Answer{200, "text/plain; version=0.0.4; charset=utf-8", exporter_.text()};
  });
  const auto address =
      event::SocketAddress::parse(config_.monitoring.host, config_.monitoring.port);
  const Result<uint16_t> port =
      address ? monitoring_.listen(*address)
              : Result<uint16_t>(Error{ErrorCode::kConfiguration, "address", 0});
  if (!port) {
    log::error("server",
               "cannot listen on {}:{}: {}; free the address or change monitoring.address",
               config_.monitoring.host, config_.monitoring.port, std::strerror(port.error().sys));
    return false;
  }
  monitoring_port_ = *port;
  return true;
}

bool Server::start_admin() {
  if (!config_.admin) return true;
  const config::Address& wanted = config_.admin->address;
  const auto address = event::SocketAddress::parse(wanted.host, wanted.port);
  const Result<uint16_t> port =
      address ? live_sessions_.listen(*address, *pod_keeper_, *this)
              : Result<uint16_t>(Error{ErrorCode::kConfiguration, "address", 0});
  if (!port) {
    log::error("server", "cannot listen on {}:{}: {}; free the address or change admin.address",
               wanted.host, wanted.port, std::strerror(port.error().sys));
    return false;
  }
  log::info("server", "admin interface address={}:{}", wanted.host, *port);
  return true;
}

void Server::announce_ready() const {
  std::string listeners;
  for (size_t i = 0; i < ports_.size(); ++i) {
    if (i > 0) listeners += ',';
    listeners += fmt::format("{}:{}", config_.listeners[i].address.host, ports_[i]);
  }
  log::info("server",
            "server ready listeners={} monitoring={}:{} workers={} endpoints={} version={}",
            listeners, config_.monitoring.host, monitoring_port_, workers_.size(), routes_->size(),
            kVersion);
}

void Server::reload() {
  config::Loaded loaded = config::load_file(config_.file);
  log_errors(loaded.errors);
  Prepared prepared;
  if (loaded.config && !needs_restart(*loaded.config)) {
    prepared = prepare(*loaded.config, ports_, crew_.seats, routes_->next_version(), tls_.own(),
                       slots_, sources_, pods_);
    log_errors(prepared.errors);
    tls_.count_refused(prepared.tls_errors);
  }
  if (prepared.routes == nullptr || !prepared.usable()) {
    ++reloads_failed_;
    log::error("config", "reload refused, the configuration of before serves on file={}",
               config_.file);
    return;
  }
  config_ = std::move(*loaded.config);
  tls_.adopt(config_, std::move(prepared.tls));
  sessions_.adopt(std::move(prepared.session_files));
  kernel_ids_.adopt(config_);
  routes_->adopt(std::move(prepared.routes), std::move(prepared.endpoints));
  overload_.set_limits(config_.settings.limits);
  ++reloads_ok_;
  pod_keeper_->adopt(config_, routes_->endpoints());
  live_sessions_.adopt(config_, std::move(prepared.revocations), std::move(prepared.admin_token));
  for (size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->use_kernel_id_keys(kernel_ids_.keys());
    workers_[i]->apply(prepared.listeners[i], routes_->snapshot(), config_.settings, loop_);
  }
  log::info("config", "reloaded file={} version={} endpoints={}", config_.file,
            routes_->snapshot()->version(), routes_->size());
}

bool Server::start_feed() {
  if (!config_.feed) return true;
  const std::string problem = feed_.start(*config_.feed, config_.state_dir);
  if (!problem.empty()) {
    log_errors({{config_.file, config_.feed->place.line, config_.feed->place.key, problem,
                 "see config/README.md", false}});
  }
  return problem.empty();
}

std::string Server::apply_feed(std::span<const feed::Item> upserts,
                               std::span<const std::string> deletes, bool whole) {
  routing::CertificateBook::Edit certificates;
  routing::RouteBook::Change change;
  std::string refused = certificates_.look(upserts, deletes, whole, certificates);
  if (refused.empty()) refused = routes_->update(upserts, deletes, whole, change);
  if (!refused.empty()) return refused;
  certificates_.take(std::move(certificates));
  pod_keeper_->edit(change.gone, change.fresh);
  const auto edit = std::make_shared<const EndpointEdit>(
      EndpointEdit{std::move(change.gone), std::move(change.judged_anew), certificates_.table()});
  for (const auto& worker : workers_) worker->edit(change.snapshot, edit, loop_);
  return "";
}

bool Server::needs_restart(const config::Config& fresh) const {
  const auto same_address = [](const config::Address& a, const config::Address& b) {
    return a.host == b.host && a.port == b.port;
  };
  const char* key = nullptr;
  if (fresh.workers != config_.workers) key = "workers";
  if (!same_address(fresh.monitoring, config_.monitoring)) key = "monitoring.address";
  if (fresh.admin.has_value() != config_.admin.has_value() ||
      (fresh.admin && !same_address(fresh.admin->address, config_.admin->address))) {
    key = "admin.address";
  }
  if (fresh.access_log_path != config_.access_log_path) key = "access_log.path";
  if (!(fresh.audit_log == config_.audit_log)) key = "audit_log";
  if (fresh.metrics_endpoints_max != config_.metrics_endpoints_max) key = "metrics.endpoints_max";
  if (!std::equal(fresh.listeners.begin(), fresh.listeners.end(), config_.listeners.begin(),
                  config_.listeners.end(), [&](const auto& a, const auto& b) {
                    return same_address(a.address, b.address);
                  })) {
    key = "listeners[].address";
  }
  if (!(fresh.feed == config_.feed)) key = "feed";
  if (key != nullptr) log::error("config", "{} changed: that needs a restart of the process", key);
  return key != nullptr;
}

void Server::terminate() {
  if (state_ != State::kRunning) {
    log::info("server", "second signal: ending at once");
    return loop_.stop();
  }
  state_ = State::kLameDuck;
  for (const auto& worker : workers_) worker->announce_drain();
  log::info("server", "draining lame_duck_ms={} deadline_ms={}", config_.drain_lame_duck.count(),
            config_.drain_deadline.count());
  lame_duck_.arm_ms(static_cast<uint64_t>(config_.drain_lame_duck.count()));
}

void Server::drain() {
  state_ = State::kDraining;
  for (const auto& worker : workers_) {
    worker->drain(static_cast<uint64_t>(config_.drain_deadline.count()),
                  [this] { loop_.post([this] { worker_drained(); }); });
  }
}

void Server::worker_drained() {
  if (++drained_ == workers_.size()) loop_.stop();
}

// Gives memory of connections that closed back to the system: glibc keeps it otherwise.
void Server::trim_memory() {
  uint64_t open = 0;
  for (const auto& worker : workers_) open += worker->metrics().connections_open.get();
  open_peak_ = std::max(open_peak_, open);
  if (open_peak_ >= kTrimWorthConnections && open <= open_peak_ / 2) {
    open_peak_ = open;
    release_memory();
  }
  trim_.arm_ms(kTrimEveryMs);
}

void Server::release_memory() {
  for (const auto& worker : workers_) worker->release_memory();
}

uint64_t Server::hits(metrics::Limit limit) const {
  uint64_t sum = 0;
  for (const auto& worker : workers_) {
    sum += worker->metrics().limits_hit[static_cast<size_t>(limit)].get();
  }
  return sum;
}

void Server::look_at_files() {
  if (tls_.look(event::monotonic_us())) {
    for (const auto& worker : workers_) {
      worker->replace_listeners(
          make_facts(config_, ports_, tls_.listeners(), worker->certificate_seat()), loop_);
    }
  }
  sessions_.look();
  live_sessions_.look();
  if (kernel_ids_.look()) {
    for (const auto& worker : workers_) worker->use_kernel_id_keys(kernel_ids_.keys());
  }
  file_look_.arm_ms(limits::kFileLookMs);
}

metrics::ProcessFacts Server::facts() const {
  metrics::ProcessFacts facts;
  facts.version = kVersion;
  facts.openssl_version = tls::library_version();
  facts.draining = state_ != State::kRunning;
  facts.overload = overload_.active();
  facts.routes_version = routes_->snapshot() == nullptr ? 0 : routes_->snapshot()->version();
  facts.endpoints = routes_->size();
  feed_.add_facts(facts);
  facts.reloads_ok = reloads_ok_;
  facts.reloads_failed = reloads_failed_;
  if (pod_keeper_ != nullptr) pod_keeper_->add_facts(facts);
  tls_.add_facts(facts);
  sessions_.add_facts(facts);
  live_sessions_.add_facts(facts);
  facts.kernel_id_key_reloads = kernel_ids_.reloads();
  add_fetches(facts);
  facts.start_time_seconds = static_cast<double>(started_wall_us_) / 1e6;
  return facts;
}

void Server::add_fetches(metrics::ProcessFacts& facts) const {
  for (size_t purpose = 0; purpose < fetch::kPurposeCount; ++purpose) {
    for (size_t failure = 0; failure < fetch::kFailureCount; ++failure) {
      const auto why = static_cast<fetch::Purpose>(purpose);
      const auto how = static_cast<fetch::Failure>(failure);
      facts.fetches.push_back(
          {fetch::purpose_name(why), fetch::failure_name(how), fetcher_.count(why, how)});
    }
  }
  facts.fetches_waiting = fetcher_.waiting();
  facts.session_keys_age_s = sources_.oldest_keys_s();
}

}  // namespace kg::server
