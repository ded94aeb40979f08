#include "proxy/upstream/pod_pool.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::upstream {

PodPool::PodPool(event::EventLoop& loop, metrics::WorkerMetrics& metrics,
                 metrics::EndpointMetrics& counters, const routing::Pod& pod, size_t thread)
    : loop_(loop),
      metrics_(metrics),
      counters_(counters),
      pod_(pod),
      active_(counters.upstream_active),
      sweep_(loop, [this] { sweep_idle(); }) {
  if (pod.tls != nullptr) {
    peer_.emplace(tls::TlsPeer{(*pod.tls->contexts)[thread], pod.tls->name, nullptr});
  }
}

PodPool::~PodPool() {
  while (!connections_.empty()) {
    UpstreamConnection& connection = *connections_.begin()->first;
    KG_ASSERT(!connection.leased());
    connection.close();
  }
}

Result<UpstreamConnection*> PodPool::lease(LeaseWaiter& waiter, LeaseKind kind) {
  if (active_ >= pod_.limits.active_max) {
    if (queue_.size() >= pod_.limits.queue_max) {
      counters_.upstream_refused.add();
      return Error{ErrorCode::kUpstreamBusy, "the queue for this pod is full", 0};
    }
    queue_.push_back({&waiter, kind});
    counters_.upstream_queued.add();
    return static_cast<UpstreamConnection*>(nullptr);
  }
  UpstreamConnection* connection = take_idle(kind);
  if (connection != nullptr) {
    metrics_.upstream_connections_reused.add();
  } else {
    Result<UpstreamConnection*> opened = open_connection();
    if (!opened) return opened;
    connection = *opened;
  }
  ++active_;
  connection->set_counted(true);
  connection->set_leased(true);
  return connection;
}

UpstreamConnection* PodPool::take_idle(LeaseKind kind) {
  while (kind != LeaseKind::kFresh && !idle_.empty()) {
    UpstreamConnection* connection = idle_.back();
    idle_.pop_back();
    if (kind == LeaseKind::kAny || connection->is_quiet()) return connection;
    connection->close();
  }
  return nullptr;
}

Result<UpstreamConnection*> PodPool::open_connection() {
  Result<event::Socket> socket = event::Socket::connect(pod_.address);
  if (!socket) return socket.error();
  auto made =
      std::make_unique<UpstreamConnection>(loop_, *this, metrics_, peer_ ? &*peer_ : nullptr);
  UpstreamConnection* connection = made.get();
  connections_.emplace(connection, std::move(made));
  ++open_;
  connection->connect(std::move(*socket), pod_.limits.connect_ms);
  metrics_.upstream_connections_opened.add();
  metrics_.upstream_connections_open.add();
  return connection;
}

void PodPool::cancel(LeaseWaiter& waiter) noexcept {
  counters_.upstream_queued.sub(
      queue_.remove_if([&](const Waiting& waiting) { return waiting.waiter == &waiter; }));
}

void PodPool::release(UpstreamConnection& connection, bool healthy) {
  connection.detach();
  connection.set_leased(false);
  if (healthy) broke_off_ = false;
  if (healthy && connection.reusable() && idle_.size() < limits::kUpstreamIdlePerPodMax) {
    // The answer's last burst may have closed it for a slow client, who drains nothing here again.
    connection.stream().resume(event::Pause::kPeerSlow);
    connection.mark_idle(loop_.now_us());
    idle_.push_back(&connection);
    if (!sweep_.is_set()) sweep_.set_ms(pod_.limits.idle_ms);
  } else {
    connection.close();
    forget(connection);
  }
  stop_counting(connection);
}

void PodPool::stop_counting(UpstreamConnection& connection) {
  if (!connection.counted()) return;
  connection.set_counted(false);
  KG_ASSERT(active_ > 0);
  --active_;
  serve_queue();
}

void PodPool::count_again(UpstreamConnection& connection) noexcept {
  if (connection.counted()) return;
  connection.set_counted(true);
  ++active_;
}

void PodPool::serve_queue() {
  if (serving_queue_) return;  // who was just served may stop counting at once: the loop goes on
  serving_queue_ = true;
  while (!queue_.empty() && active_ < pod_.limits.active_max) {
    const Waiting next = queue_.front();
    queue_.pop_front();
    counters_.upstream_queued.sub();
    const Result<UpstreamConnection*> connection = lease(*next.waiter, next.kind);
    if (connection) {
      next.waiter->on_lease(**connection);
    } else {
      next.waiter->on_lease_failed(connection.error());
    }
  }
  serving_queue_ = false;
}

void PodPool::close_idle() noexcept {
  while (!idle_.empty()) idle_.back()->close();
}

void PodPool::suspect(std::string_view reason) noexcept {
  if (!pod_.facts->suspect_restart()) return;
  log::info("upstream", "pod may have restarted pod={} reason=\"{}\"", pod_.name, reason);
}

void PodPool::refused() noexcept { suspect("it refused a connection"); }

void PodPool::closed() noexcept {
  KG_ASSERT(open_ > 0);
  if (--open_ > 0 || !std::exchange(broke_off_, false)) return;
  suspect("it ended all connections");
}

void PodPool::forget(UpstreamConnection& connection) noexcept {
  idle_.erase(std::remove(idle_.begin(), idle_.end(), &connection), idle_.end());
  // Who leased it still holds it, and gives it back by release().
  const auto found = connections_.find(&connection);
  if (found == connections_.end() || connection.leased()) return;
  metrics_.upstream_connections_open.sub();
  loop_.defer_delete(std::move(found->second));
  connections_.erase(found);
}

void PodPool::sweep_idle() {
  const uint64_t now = loop_.now_us();
  const auto is_old = [&](const UpstreamConnection* connection) {
    return now - connection->idle_since_us() >= pod_.limits.idle_ms * 1'000ULL;
  };
  while (!idle_.empty() && is_old(idle_.front())) idle_.front()->close();
  if (!idle_.empty()) sweep_.set_ms(pod_.limits.idle_ms);
}

}  // namespace kg::upstream
