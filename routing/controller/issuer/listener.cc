#include "routing/controller/issuer/listener.h"

#include <cerrno>
#include <utility>

#include "proxy/base/limits.h"

namespace kg::issuer {
namespace {

uint32_t count_of(const std::unordered_map<std::string, uint32_t>& counts,
                  const std::string& address) {
  const auto found = counts.find(address);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

Listener::Listener(event::EventLoop& loop, Desk& desk, const Material& material)
    : loop_(loop),
      desk_(desk),
      material_(material),
      jwks_([this] { return material_.signer()->public_jwks() + "\n"; }),
      retry_(loop, [this] { watcher_->resume(); }) {}

Result<uint16_t> Listener::listen(const event::SocketAddress& address) {
  Result<event::Socket> socket = event::Socket::listen(address);
  if (!socket) return socket.error();
  socket_ = std::move(*socket);
  watcher_.emplace(loop_, socket_.fd(), [this] { accept_some(); });
  return socket_.local_address().port();
}

void Listener::accept_some() {
  for (uint32_t i = 0; i < limits::kAcceptsPerTurnMax; ++i) {
    Result<event::Accepted> accepted = event::accept_from(socket_.fd());
    if (!accepted) {
      const int why = accepted.error().sys;
      if (why == EAGAIN) return;
      if (why != EMFILE && why != ENFILE && why != ENOBUFS && why != ENOMEM) continue;
      watcher_->pause();
      return retry_.arm_ms(kAcceptBackoffMs);
    }
    take(std::move(*accepted));
  }
}

void Listener::take(event::Accepted accepted) {
  Counts& counts = desk_.counts();
  ++counts.connections;
  std::string address = network_of(accepted.peer);
  const uint64_t now_us = loop_.now_us();
  if (connections_.size() >= kConnectionsMax ||
      count_of(by_address_, address) >= kConnectionsPerAddressMax ||
      connects_.wait_us(address, now_us) > 0) {
    ++counts.connections_refused;
    return;
  }
  connects_.count(address, now_us);
  ConnectionOwner& owner = *this;
  auto made =
      std::make_unique<Connection>(loop_, owner, desk_, jwks_, material_.tls(), accepted.peer);
  Connection& connection = *made;
  ++by_address_[address];
  connections_.emplace(&connection, Held{std::move(made), std::move(address)});
  connection.open(std::move(accepted.socket));
}

void Listener::forget(Connection& connection) {
  const auto found = connections_.find(&connection);
  const auto address = by_address_.find(found->second.address);
  if (--address->second == 0) by_address_.erase(address);
  loop_.defer_delete(std::move(found->second.connection));
  connections_.erase(found);
}

}  // namespace kg::issuer
