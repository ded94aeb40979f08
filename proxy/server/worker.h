// Worker: one thread, one event loop, and all that it owns: listening sockets, connections,
// upstream pools, counters, its end of the access log.
//
// Owner:  the Server. Built and destroyed on the control thread; methods marked "control" post to
// the
//         worker's loop. The only things shared while bytes move are the open counts (below),
//         written at accept and close.
// Ends:   drain() closes what is open, WebSockets as DrainPlan says; on_drained runs on the
// worker's thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "proxy/exchange/client_connection.h"
#include "proxy/server/acceptor.h"
#include "proxy/server/drain_plan.h"
#include "proxy/server/session_counts.h"

namespace kg::server {

// Open connections per worker, each on a cache line of its own: who accepts hands over to the
// least loaded when it holds 10 % and 16 more, because SO_REUSEPORT alone leaves day-long
// WebSockets lopsided.
struct alignas(64) OpenCount {
  std::atomic<uint32_t> value{0};
};

// What goes from one snapshot to the next.
struct EndpointEdit {
  std::vector<routing::EndpointRef> gone;
  std::set<std::string, std::less<>> judged_anew;  // ids of endpoints whose sessions' rules changed
  tls::CertificateTable::Ref certificates;         // all that are announced
};

struct HeardRenewals {
  std::string virtual_cluster;
  std::string endpoint;
  std::vector<routing::Renewal> renewals;
};

class Worker;

struct WorkerCrew {
  std::vector<OpenCount> open;
  std::vector<Worker*> workers;
  std::vector<tls::CertificateSeatRef> seats;  // theirs, of announced certificates
};

using ListenerFactsList = std::vector<std::shared_ptr<const exchange::ListenerFacts>>;

class Worker final : private AcceptHandler, private exchange::ConnectionTable {
 public:
  Worker(size_t index, uint32_t endpoint_slots, WorkerCrew& crew, const exchange::Logs& logs,
         exchange::LaunchBoard& launches, exchange::LaunchDesk& desk,
         exchange::Admission& admission, exchange::SessionBoard& sessions,
         exchange::NotebookTable& notebooks);
  ~Worker();

  // Before start().
  void add_acceptor(event::Socket socket);
  void set_configuration(ListenerFactsList listeners,
                         std::shared_ptr<const routing::RouteSnapshot> routes,
                         const Settings& settings);
  void set_revocations(std::shared_ptr<const auth::Revocations> revocations) {
    context_.watch.set_revocations(std::move(revocations));
  }
  void await_feed() { context_.awaits_feed = true; }  // until the first edit()
  void start();

  // Where the contexts of its listeners find what is announced.
  tls::CertificateSeatRef certificate_seat() const noexcept { return seat_; }

  // Control. The old values come back to `control` to be destroyed there.
  void apply(ListenerFactsList listeners, std::shared_ptr<const routing::RouteSnapshot> routes,
             const Settings& settings, event::EventLoop& control);
  // Some endpoints were announced, changed or withdrawn; nothing else is touched.
  void edit(std::shared_ptr<const routing::RouteSnapshot> routes,
            std::shared_ptr<const EndpointEdit> edit, event::EventLoop& control);
  void replace_listeners(ListenerFactsList listeners, event::EventLoop& control);
  // Ends what it revokes; `done` hears how many, on the worker's thread. So does the next one.
  void revoke(std::shared_ptr<const auth::Revocations> revocations, event::EventLoop& control,
              std::function<void(size_t ended)> done);
  // Sessions that another replica saw renewed.
  void hear_renewals(std::shared_ptr<const HeardRenewals> heard);
  void count_sessions(std::function<void(SessionCounts counts)> done);
  void list_kernels(std::function<void(std::vector<exchange::KernelSight> kernels)> done);
  // Before start() too.
  void use_kernel_id_keys(std::shared_ptr<const kernel::KernelIdKeys> keys);
  void announce_drain();
  void release_memory();  // what the thread keeps of a wave of connections that has passed
  void drain(uint64_t deadline_ms, std::function<void()> on_drained);
  void stop_and_join();
  // Any worker: a connection accepted elsewhere.
  void take(size_t listener, event::Accepted accepted);

  event::EventLoop& loop() noexcept { return loop_; }
  metrics::WorkerMetrics& metrics() noexcept { return metrics_; }

 private:
  void on_accepted(size_t listener, event::Accepted accepted) override;
  void on_out_of_descriptors() override;
  void forget(exchange::ClientConnection& connection) override;
  void serve(size_t listener, event::Accepted accepted);
  std::optional<exchange::ClientCounts::Hold> admit(const exchange::ListenerFacts& facts,
                                                    const event::Accepted& accepted);
  Worker& least_loaded();
  void publish_open() noexcept;
  void begin_drain(uint64_t deadline_ms);
  void drain_tick();
  void close_websockets(uint64_t now_us);
  void close_all();
  void check_drained();

  size_t index_;
  WorkerCrew& crew_;
  event::EventLoop loop_;
  metrics::WorkerMetrics metrics_;
  exchange::WorkerContext context_;
  ListenerFactsList listeners_;
  const std::shared_ptr<tls::CertificateSeat> seat_ = std::make_shared<tls::CertificateSeat>();
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::unordered_map<exchange::ClientConnection*, std::unique_ptr<exchange::ClientConnection>>
      connections_;
  std::thread thread_;
  std::function<void()> on_drained_;
  event::Timer drain_timer_;
  DrainPlan drain_plan_;
};

}  // namespace kg::server
