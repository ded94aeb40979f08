// Listener: the HTTPS address of the session credentials API and its connections.
//
// Owner:  the Service. Thread: the loop's. Limits: kConnectionsMax, and of one network (network_of)
//         kConnectionsPerAddressMax and kConnectionsPerMinute; whoever comes then is closed.
// Errors: out of descriptors it waits for kAcceptBackoffMs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/event/watcher.h"
#include "routing/controller/issuer/connection.h"
#include "routing/controller/issuer/material.h"
#include "routing/controller/issuer/rates.h"

namespace kg::issuer {

class Listener final : private ConnectionOwner {
 public:
  Listener(event::EventLoop& loop, Desk& desk, const Material& material);

  Result<uint16_t> listen(const event::SocketAddress& address);  // the bound port
  size_t open_connections() const noexcept { return connections_.size(); }

 private:
  void accept_some();
  void take(event::Accepted accepted);
  void forget(Connection& connection) override;

  event::EventLoop& loop_;
  Desk& desk_;
  const Material& material_;
  const std::function<std::string()> jwks_;
  event::Socket socket_;
  std::optional<event::ListenWatcher> watcher_;
  event::Timer retry_;
  struct Held {
    std::unique_ptr<Connection> connection;
    std::string address;
  };
  std::unordered_map<Connection*, Held> connections_;
  std::unordered_map<std::string, uint32_t> by_address_;
  Rates connects_{kConnectionsPerMinute};
};

}  // namespace kg::issuer
