// Door: says which CURVE keys may come in (ZAP, ZeroMQ RFC 27), and puts a peer's key onto each of
// its messages as User-Id.
//
// It must stand before the socket that it guards listens: without one libzmq lets everybody in.
// Owner: the Publisher. Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "routing/feed/socket.h"

namespace kg::feed {

class Door final : SocketHandler {
 public:
  using Judge = std::function<bool(std::string_view key)>;
  Door(event::EventLoop& loop, Judge judge) : loop_(loop), judge_(std::move(judge)) {}
  ~Door();
  std::string open(Context& context);  // "" or what is wrong

 private:
  void on_message(std::span<const std::string_view> frames, std::string_view user) override;

  event::EventLoop& loop_;
  Judge judge_;
  std::unique_ptr<Socket> socket_;
};

}  // namespace kg::feed
