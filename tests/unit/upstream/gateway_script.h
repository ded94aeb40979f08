// A gateway pod that answers as told, and a caller as an exchange would be; one loop, no threads.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/upstream/pod_pool.h"
#include "tests/unit/event/loop_support.h"
#include "tests/unit/event/stream_support.h"

namespace kg::upstream {

class GatewayScript {
 public:
  struct Peer {
    event::Socket socket;
    std::string inbox;
    bool ended = false;
  };

  event::SocketAddress address() const { return listener_.local_address(); }
  // Takes what came and, while `answer` is set, answers every request head.
  void step() {
    for (;;) {
      Result<event::Accepted> accepted = event::accept_from(listener_.fd());
      if (!accepted) break;
      peers.push_back(std::make_unique<Peer>());
      peers.back()->socket = std::move(accepted->socket);
    }
    for (const auto& peer : peers) {
      if (!peer->socket.is_open()) continue;
      const event::Received received = event::receive_what_is_there(peer->socket);
      peer->inbox += received.bytes;
      peer->ended = peer->ended || received.end;
      if (answer.empty() || peer->inbox.find("\r\n\r\n") == std::string::npos) continue;
      peer->inbox.clear();
      event::send_all_it_takes(peer->socket, answer);
      if (close_after_answer) peer->socket.close();
    }
  }
  void say(size_t peer, std::string_view bytes) {
    EXPECT_EQ(event::send_all_it_takes(peers.at(peer)->socket, bytes), bytes.size());
  }
  void hang_up(size_t peer) { peers.at(peer)->socket.close(); }

  std::vector<std::unique_ptr<Peer>> peers;
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  bool close_after_answer = false;

 private:
  event::Socket listener_ = event::listen_anywhere();
};

// Leases, asks, and gives back.
class Caller final : public UpstreamHandler, public LeaseWaiter {
 public:
  explicit Caller(PodPool& pool) : pool_(pool) {}

  // False when the lease failed; queued() tells whether it waits.
  bool ask(LeaseKind kind = LeaseKind::kAny) {
    const Result<UpstreamConnection*> leased = pool_.lease(*this, kind);
    if (!leased) {
      lease_error = leased.error().code;
      return false;
    }
    queued = *leased == nullptr;
    if (!queued) start(**leased);
    return true;
  }
  void give_back(bool healthy = true) {
    ASSERT_NE(connection, nullptr);
    pool_.release(*std::exchange(connection, nullptr), healthy);
  }

  void on_lease(UpstreamConnection& leased) override {
    if (on_served) on_served();
    queued = false;
    start(leased);
  }
  void on_lease_failed(const Error& what) override { lease_error = what.code; }
  void on_response_head(const http::ResponseHead& head) override {
    status = head.status;
    if (status == 101 && wants_tunnel) connection->become_tunnel();
  }
  void on_interim_head(const http::ResponseHead& head) override { interim = head.status; }
  void on_response_body(std::string_view payload) override { body.append(payload); }
  void on_response_end() override {
    done = true;
    if (releases) give_back();
  }
  void on_tunnel_data(std::string_view bytes) override { tunnel.append(bytes); }
  void on_tunnel_end() override { tunnel_ended = true; }
  void on_upstream_drained() override {}
  void on_upstream_error(const Error& what) override {
    EXPECT_FALSE(error.has_value()) << "a second error in one lease";
    error = what.code;
    if (releases) give_back(false);
  }

  UpstreamConnection* connection = nullptr;
  http::Method method = http::Method::kGet;
  bool wants_tunnel = false;
  bool releases = true;  // as soon as the answer ended or failed
  std::function<void()> on_served;
  bool queued = false;
  bool done = false;
  bool reused = false;
  bool tunnel_ended = false;
  uint16_t status = 0;
  uint16_t interim = 0;
  std::string body;
  std::string tunnel;
  std::optional<ErrorCode> error;
  std::optional<ErrorCode> lease_error;

 private:
  void start(UpstreamConnection& leased) {
    connection = &leased;
    leased.begin(*this, method);
    reused = leased.reused();
    leased.stream().write("GET / HTTP/1.1\r\nHost: gateway\r\n\r\n");
  }
  PodPool& pool_;
};

inline routing::Pod pod_at(const event::SocketAddress& address) {
  routing::Pod pod;
  pod.name = "pod";
  pod.address = address;
  return pod;
}

class GatewayTest : public testing::Test {
 protected:
  bool run_until(const std::function<bool()>& done) {
    return event::run_until(loop_, [&] {
      gateway_.step();
      return done();
    });
  }
  void run_turns() {
    for (int i = 0; i < 5; ++i) {
      gateway_.step();
      event::run_turns(loop_, 1);
    }
  }
  // One whole exchange.
  void exchange(LeaseKind kind = LeaseKind::kAny) {
    Caller caller(pool_);
    ASSERT_TRUE(caller.ask(kind));
    ASSERT_TRUE(run_until([&] { return caller.done; }));
    EXPECT_EQ(caller.status, 200);
  }
  // How one exchange ends when the gateway says `bytes` and then hangs up.
  std::optional<ErrorCode> error_after(const std::string& bytes) {
    Caller caller(pool_);
    gateway_.answer = bytes;
    gateway_.close_after_answer = true;
    EXPECT_TRUE(caller.ask(LeaseKind::kFresh));
    EXPECT_TRUE(run_until([&] { return caller.done || caller.error; }));
    return caller.error;
  }
  uint64_t opened() const { return metrics_.upstream_connections_opened.get(); }
  uint64_t reused() const { return metrics_.upstream_connections_reused.get(); }
  uint64_t open_now() const { return metrics_.upstream_connections_open.get(); }

  event::EventLoop loop_;
  metrics::WorkerMetrics metrics_{4};
  GatewayScript gateway_;
  routing::Pod pod_ = pod_at(gateway_.address());
  metrics::EndpointMetrics& counters_ = metrics_.endpoint(1);
  PodPool pool_{loop_, metrics_, counters_, pod_, 0};
};

}  // namespace kg::upstream
