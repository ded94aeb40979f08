// Server: the control thread. Starts the workers, applies configurations, answers the monitoring
// address, drains on SIGTERM.
//
//   Running --SIGTERM--> LameDuck (readyz 503, still serving) --lame_duck--> Draining --empty or
//   deadline--> end
// A second SIGTERM (or SIGINT) ends at once. SIGHUP reloads; a bad file changes nothing and says
// why. SIGUSR1 reopens the logs. Certificates and keys that change on disk are loaded by
// themselves.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "auth/sources.h"
#include "config/config.h"
#include "metrics/endpoint_slots.h"
#include "metrics/exporter.h"
#include "proxy/event/status_server.h"
#include "proxy/exchange/launch_board.h"
#include "proxy/fetch/fetcher.h"
#include "proxy/server/feed_keeper.h"
#include "proxy/server/kernel_id_keeper.h"
#include "proxy/server/overload_watch.h"
#include "proxy/server/pod_keeper.h"
#include "proxy/server/preparation.h"
#include "proxy/server/process_logs.h"
#include "proxy/server/renewal_teller.h"
#include "proxy/server/session_control.h"
#include "proxy/server/session_keeper.h"
#include "proxy/server/tls_keeper.h"
#include "proxy/server/worker.h"
#include "routing/certificate_book.h"
#include "routing/route_book.h"

namespace kg::server {

class Server final : private FeedActions {
 public:
  explicit Server(config::Config config);
  ~Server();

  // Exit code: 0 after a drain, 1 when an address cannot be bound, 2 for an unusable configuration.
  int run();

 private:
  enum class State { kRunning, kLameDuck, kDraining };
  void make_workers(size_t count);
  void start_workers(Prepared prepared);
  bool bind_listeners();
  bool start_monitoring();
  bool start_admin();
  void announce_ready() const;
  void reload();
  bool start_feed();
  FeedKeeper::Hooks feed_hooks();
  void use_replicas();  // before the workers run
  std::optional<std::string> reset_feed() override { return feed_.reset(); }
  std::string apply_feed(std::span<const feed::Item> upserts, std::span<const std::string> deletes,
                         bool whole);
  bool needs_restart(const config::Config& fresh) const;
  void terminate();
  void drain();
  void worker_drained();
  void trim_memory();
  void release_memory();
  uint64_t hits(metrics::Limit limit) const;
  void look_at_files();
  metrics::ProcessFacts facts() const;
  void add_fetches(metrics::ProcessFacts& facts) const;

  config::Config config_;
  event::EventLoop loop_;
  metrics::EndpointSlots slots_;
  routing::PodBook pods_;
  fetch::Fetcher fetcher_;
  auth::Sources sources_;
  TlsKeeper tls_;
  SessionKeeper sessions_;
  KernelIdKeeper kernel_ids_;
  exchange::LaunchBoard launches_;
  exchange::LaunchDesk launch_desk_;
  exchange::Admission admission_;
  exchange::SessionBoard session_board_;
  exchange::NotebookTable notebooks_;
  ProcessLogs logs_;
  metrics::Exporter exporter_;
  event::StatusServer monitoring_;
  std::unique_ptr<PodKeeper> pod_keeper_;
  std::unique_ptr<routing::RouteBook> routes_;
  routing::CertificateBook certificates_;
  FeedKeeper feed_;
  RenewalTeller renewals_;
  WorkerCrew crew_;
  std::vector<std::unique_ptr<Worker>> workers_;
  SessionControl live_sessions_;
  std::vector<uint16_t> ports_;  // bound, per listener
  uint16_t monitoring_port_ = 0;
  event::Timer lame_duck_;
  event::Timer trim_;
  OverloadWatch overload_;
  event::Timer file_look_;
  uint64_t open_peak_ = 0;  // connections since the last trim
  State state_ = State::kRunning;
  size_t drained_ = 0;
  uint64_t reloads_ok_ = 0;
  uint64_t reloads_failed_ = 0;
  uint64_t started_wall_us_;
};

}  // namespace kg::server
