#include "proxy/server/worker.h"

#include <algorithm>

#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/server/allocator.h"

namespace kg::server {
Worker::Worker(size_t index, uint32_t endpoint_slots, WorkerCrew& crew, const exchange::Logs& logs,
               exchange::LaunchBoard& launches, exchange::LaunchDesk& desk,
               exchange::Admission& admission, exchange::SessionBoard& sessions,
               exchange::NotebookTable& notebooks)
    : index_(index),
      crew_(crew),
      metrics_(endpoint_slots),
      context_(loop_, metrics_, logs, launches, desk, admission, sessions, notebooks, index),
      drain_timer_(loop_, [this] { drain_tick(); }) {
  context_.followers.on_empty([this] { check_drained(); });
  loop_.on_slow_turn([this](uint64_t us) {
    metrics_.slow_turns.add();
    log::debug("server", "slow turn worker={} us={}", index_, us);
  });
}

Worker::~Worker() { stop_and_join(); }

void Worker::add_acceptor(event::Socket socket) {
  AcceptHandler& handler = *this;
  acceptors_.push_back(
      std::make_unique<Acceptor>(loop_, handler, acceptors_.size(), std::move(socket)));
}

void Worker::set_configuration(ListenerFactsList listeners,
                               std::shared_ptr<const routing::RouteSnapshot> routes,
                               const Settings& settings) {
  listeners_ = std::move(listeners);
  context_.routes = std::move(routes);
  context_.settings = settings;
}

void Worker::start() {
  thread_ = std::thread([this] {
    loop_.run();
    close_all();
    context_.endpoints.retire_all();
    context_.access_log.flush();
    context_.audit.flush();
    loop_.settle();
  });
}

void Worker::apply(ListenerFactsList listeners,
                   std::shared_ptr<const routing::RouteSnapshot> routes, const Settings& settings,
                   event::EventLoop& control) {
  loop_.post([this, listeners = std::move(listeners), routes = std::move(routes), settings,
              &control]() mutable {
    listeners_.swap(listeners);
    context_.routes.swap(routes);
    context_.settings = settings;
    context_.endpoints.retire_all();
    context_.sessions.forget_all();
    context_.watch.recheck_all(event::wall_us());
    control.post([old_listeners = std::move(listeners), old_routes = std::move(routes)] {});
  });
}

void Worker::edit(std::shared_ptr<const routing::RouteSnapshot> routes,
                  std::shared_ptr<const EndpointEdit> edit, event::EventLoop& control) {
  loop_.post([this, routes = std::move(routes), edit = std::move(edit), &control]() mutable {
    context_.routes.swap(routes);
    tls::CertificateTable::Ref certificates = std::exchange(seat_->table, edit->certificates);
    context_.awaits_feed = false;
    for (const routing::EndpointRef& gone : edit->gone) context_.endpoints.retire(*gone);
    if (!edit->judged_anew.empty()) {
      context_.watch.recheck(edit->judged_anew, event::wall_us());
    }
    control.post([old_routes = std::move(routes), old_edit = std::move(edit),
                  old_certificates = std::move(certificates)] {});
  });
}

void Worker::release_memory() {
  loop_.post([] { release_thread_memory(); });
}

void Worker::replace_listeners(ListenerFactsList listeners, event::EventLoop& control) {
  loop_.post([this, listeners = std::move(listeners), &control]() mutable {
    listeners_.swap(listeners);
    control.post([old = std::move(listeners)] {});
  });
}

void Worker::revoke(std::shared_ptr<const auth::Revocations> revocations, event::EventLoop& control,
                    std::function<void(size_t ended)> done) {
  loop_.post([this, fresh = std::move(revocations), &control, done = std::move(done)]() mutable {
    control.post([old = context_.watch.revocations()] {});
    context_.watch.set_revocations(std::move(fresh));
    done(context_.watch.expel_revoked(event::wall_us()));
  });
}

void Worker::hear_renewals(std::shared_ptr<const HeardRenewals> heard) {
  loop_.post([this, heard = std::move(heard)] {
    for (const routing::Renewal& one : heard->renewals) {
      context_.watch.hear(one, {heard->virtual_cluster, heard->endpoint}, event::wall_us());
    }
  });
}

void Worker::count_sessions(std::function<void(SessionCounts counts)> done) {
  loop_.post([this, done = std::move(done)] {
    SessionCounts counts;
    context_.watch.for_each([&counts](const exchange::SessionWatch::Seat& seat) {
      const auth::Principal& who = seat.principal();
      SessionCount& count = counts[{seat.endpoint(), who.realm, who.subject}];
      ++count.websockets;
      count.expires_at = std::max(count.expires_at, who.expires_at);
    });
    done(std::move(counts));
  });
}

void Worker::list_kernels(std::function<void(std::vector<exchange::KernelSight> kernels)> done) {
  loop_.post([this, done = std::move(done)] {
    std::vector<exchange::KernelSight> kernels;
    for (const auto& [connection, owned] : connections_) {
      if (kernels.size() == limits::kAdminKernelsMax) break;
      if (auto sight = connection->kernel_sight()) kernels.push_back(std::move(*sight));
    }
    done(std::move(kernels));
  });
}

void Worker::use_kernel_id_keys(std::shared_ptr<const kernel::KernelIdKeys> keys) {
  loop_.post([this, keys = std::move(keys)] { context_.kernel_id_keys = keys; });
}

void Worker::announce_drain() {
  loop_.post([this] { context_.draining = true; });
}

void Worker::drain(uint64_t deadline_ms, std::function<void()> on_drained) {
  loop_.post([this, deadline_ms, on_drained = std::move(on_drained)] {
    on_drained_ = on_drained;
    begin_drain(deadline_ms);
  });
}

void Worker::stop_and_join() {
  if (!thread_.joinable()) return;
  loop_.stop_from_any_thread();
  thread_.join();
}

void Worker::on_accepted(size_t listener, event::Accepted accepted) {
  metrics_.connections_accepted.add();
  const exchange::ListenerFacts& facts = *listeners_[listener];
  if (!facts.allow_sources.empty() && !facts.allow_sources.contains(accepted.peer)) {
    metrics_.connections_refused.add();
    return;
  }
  Worker& target = least_loaded();
  if (&target == this) return serve(listener, std::move(accepted));
  metrics_.connections_handed_over.add();
  target.take(listener, std::move(accepted));
}

void Worker::on_out_of_descriptors() {
  metrics_.connections_refused.add();
  metrics_.hit(metrics::Limit::kDescriptors);
}

Worker& Worker::least_loaded() {
  const uint32_t own = crew_.open[index_].value.load(std::memory_order_relaxed);
  size_t best = index_;
  uint32_t least = own;
  for (size_t i = 0; i < crew_.open.size(); ++i) {
    const uint32_t open = crew_.open[i].value.load(std::memory_order_relaxed);
    if (open < least) {
      least = open;
      best = i;
    }
  }
  return own > least + least / 10 + 16 ? *crew_.workers[best] : *this;
}

void Worker::take(size_t listener, event::Accepted accepted) {
  // std::function copies what it holds, a Socket does not: the descriptor travels bare.
  const int fd = accepted.socket.release();
  loop_.post([this, listener, fd, peer = accepted.peer] {
    serve(listener, {event::Socket(fd), peer});
  });
}

void Worker::serve(size_t listener, event::Accepted accepted) {
  if (acceptors_.empty()) {
    metrics_.connections_refused.add();
    return;
  }
  auto hold = admit(*listeners_[listener], accepted);
  if (!hold) {
    metrics_.connections_refused.add();
    return;
  }
  exchange::ConnectionTable& table = *this;
  auto made = std::make_unique<exchange::ClientConnection>(context_, table, listeners_[listener],
                                                           accepted.peer, std::move(*hold));
  exchange::ClientConnection* connection = made.get();
  connections_.emplace(connection, std::move(made));
  publish_open();
  connection->open(std::move(accepted.socket));
}

// Counts a new connection in, unless a bound stands against it. A trusted proxy stands for all of
// its clients, so its address has no bound.
std::optional<exchange::ClientCounts::Hold> Worker::admit(const exchange::ListenerFacts& facts,
                                                          const event::Accepted& accepted) {
  const Limits& limits = context_.settings.limits;
  exchange::Admission& admission = context_.admission;
  const auto refuse = [this](metrics::Limit limit) {
    metrics_.hit(limit);
    return std::nullopt;
  };
  if (accepted.socket.fd() >= admission.descriptor_mark) {
    return refuse(metrics::Limit::kDescriptors);
  }
  const bool trusted = facts.trusted_proxies.contains(accepted.peer);
  // A load balancer's connection carries requests of many, which are judged one by one.
  if (!trusted && admission.short_of_memory.load(std::memory_order_relaxed)) {
    return refuse(metrics::Limit::kMemoryBytes);
  }
  if (connections_.size() >= limits.connections_per_worker) {
    return refuse(metrics::Limit::kConnectionsPerWorker);
  }
  exchange::ClientCounts::Hold hold;
  if (!trusted) {
    auto taken =
        admission.connections.take(accepted.peer.bytes16(), limits.connections_per_address);
    if (!taken) return refuse(metrics::Limit::kConnectionsPerAddress);
    hold = std::move(*taken);
  }
  if (admission.open.fetch_add(1, std::memory_order_relaxed) >= limits.connections) {
    admission.open.fetch_sub(1, std::memory_order_relaxed);
    return refuse(metrics::Limit::kConnections);
  }
  return hold;
}

void Worker::forget(exchange::ClientConnection& connection) {
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  loop_.defer_delete(std::move(found->second));
  connections_.erase(found);
  context_.admission.open.fetch_sub(1, std::memory_order_relaxed);
  publish_open();
  check_drained();
}

void Worker::publish_open() noexcept {
  crew_.open[index_].value.store(static_cast<uint32_t>(connections_.size()),
                                 std::memory_order_relaxed);
}

void Worker::begin_drain(uint64_t deadline_ms) {
  acceptors_.clear();
  context_.draining = true;
  std::vector<exchange::ClientConnection*> open;
  open.reserve(connections_.size());
  for (const auto& [connection, owned] : connections_) open.push_back(connection);
  size_t websockets = 0;
  for (exchange::ClientConnection* connection : open) {
    if (connection->is_open_websocket()) ++websockets;
    connection->close_when_idle();
  }
  drain_plan_ = DrainPlan(event::monotonic_us(), deadline_ms, websockets);
  drain_tick();
}

void Worker::drain_tick() {
  const uint64_t now_us = event::monotonic_us();
  if (drain_plan_.over(now_us)) {
    close_all();
    return check_drained();
  }
  close_websockets(now_us);
  drain_timer_.arm_ms(drain_plan_.look_again_ms(now_us));
  check_drained();
}

void Worker::close_websockets(uint64_t now_us) {
  std::vector<exchange::ClientConnection*> idle;
  std::vector<exchange::ClientConnection*> busy;
  for (const auto& [connection, owned] : connections_) {
    if (!connection->is_open_websocket()) continue;
    (connection->is_idle_websocket() ? idle : busy).push_back(connection);
  }
  const DrainPlan::Due due = drain_plan_.close(now_us, idle.size(), busy.size());
  idle.resize(due.idle);
  busy.resize(due.busy);
  for (const auto* closing : {&idle, &busy}) {
    for (exchange::ClientConnection* connection : *closing) {
      connection->close_websocket(ErrorCode::kDraining);
    }
  }
}

void Worker::close_all() {
  std::vector<exchange::ClientConnection*> open;
  open.reserve(connections_.size());
  for (const auto& [connection, owned] : connections_) open.push_back(connection);
  for (exchange::ClientConnection* connection : open) connection->close();
  context_.followers.abandon_all();
}

void Worker::check_drained() {
  if (!on_drained_ || !connections_.empty() || context_.followers.size() != 0) return;
  drain_timer_.disarm();
  const auto done = std::exchange(on_drained_, nullptr);
  context_.access_log.flush();
  done();
}

}  // namespace kg::server
