// WorkerContext: what every connection and exchange of one worker shares. Owned by the worker,
// touched by its thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "metrics/worker_metrics.h"
#include "proxy/base/settings.h"
#include "proxy/event/event_loop.h"
#include "proxy/exchange/admission.h"
#include "proxy/exchange/launch_board.h"
#include "proxy/exchange/launch_desk.h"
#include "proxy/exchange/launch_follower.h"
#include "proxy/exchange/list_verdicts.h"
#include "proxy/exchange/log_sink.h"
#include "proxy/exchange/notebook_table.h"
#include "proxy/exchange/session_desk.h"
#include "proxy/exchange/session_watch.h"
#include "proxy/kernel/kernel_id.h"
#include "proxy/tls/tls_context.h"
#include "proxy/upstream/local_endpoint.h"
#include "routing/route_snapshot.h"

namespace kg::exchange {

// One listener as a worker sees it; replaced whole by a reload, pinned by the connections it
// accepted.
struct ListenerFacts {
  uint16_t port = 0;
  event::AddressRanges trusted_proxies;  // their X-Forwarded-* count (domain A15, A33)
  event::AddressRanges allow_sources;    // empty: everybody
  std::shared_ptr<const tls::TlsContext> tls;
};

// The logs of the process as its workers see them. All of it outlives them.
struct Logs {
  metrics::LogWriter* access = nullptr;  // null: off
  metrics::LogWriter* audit = nullptr;
  const metrics::SubjectMask& subjects;  // of the audit log
};

struct WorkerContext {
  WorkerContext(event::EventLoop& event_loop, metrics::WorkerMetrics& worker_metrics,
                const Logs& logs, LaunchBoard& launch_board, LaunchDesk& launch_desk,
                Admission& shared_admission, SessionBoard& session_board,
                NotebookTable& shared_notebooks, size_t worker)
      : index(worker),
        loop(event_loop),
        metrics(worker_metrics),
        access_log(event_loop, worker_metrics.access_log_dropped, logs.access),
        audit(event_loop, worker_metrics.audit_log_dropped, logs.audit,
              metrics::AuditLogBuffer(logs.subjects)),
        endpoints(event_loop, worker_metrics, worker),
        launches(launch_board),
        desk(launch_desk),
        admission(shared_admission),
        followers(event_loop),
        sessions(event_loop, worker_metrics),
        watch(event_loop, worker_metrics, session_board),
        notebooks(shared_notebooks) {}

  std::string next_request_id();

  size_t index;  // of the worker
  event::EventLoop& loop;
  metrics::WorkerMetrics& metrics;
  AccessSink access_log;
  AuditSink audit;
  upstream::EndpointRegistry endpoints;
  LaunchBoard& launches;
  LaunchDesk& desk;
  Admission& admission;
  LaunchFollowers followers;
  SessionDesk sessions;
  SessionWatch watch;
  ListVerdicts list_verdicts;
  NotebookTable& notebooks;
  std::shared_ptr<const routing::RouteSnapshot> routes;
  std::shared_ptr<const kernel::KernelIdKeys> kernel_id_keys;
  Settings settings;
  bool draining = false;
  bool awaits_feed = false;  // of controllers, which has not said anything yet
  std::string scratch;       // heads are written here before they go to a stream

 private:
  std::string id_prefix_;
  uint64_t id_counter_ = 0;
};

}  // namespace kg::exchange
