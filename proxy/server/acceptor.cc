#include "proxy/server/acceptor.h"

#include <cerrno>

#include "proxy/base/limits.h"

namespace kg::server {

Acceptor::Acceptor(event::EventLoop& loop, AcceptHandler& handler, size_t listener,
                   event::Socket socket)
    : handler_(handler),
      listener_(listener),
      socket_(std::move(socket)),
      spare_(event::Socket::spare()),
      watcher_(loop, socket_.fd(), [this] { accept_some(); }),
      retry_(loop, [this] { watcher_.resume(); }) {}

void Acceptor::accept_some() {
  for (uint32_t i = 0; i < limits::kAcceptsPerTurnMax; ++i) {
    Result<event::Accepted> accepted = event::accept_from(socket_.fd());
    if (accepted) {
      handler_.on_accepted(listener_, std::move(*accepted));
      continue;
    }
    const int why = accepted.error().sys;
    if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM) {
      handler_.on_out_of_descriptors();
      if (turn_one_away()) continue;
      watcher_.pause();
      retry_.arm_ms(limits::kAcceptBackoffMs);
      return;
    }
    if (why == EAGAIN) return;  // else: that connection died in the queue, the next may live
  }
}

bool Acceptor::turn_one_away() {
  if (!spare_.is_open()) spare_ = event::Socket::spare();
  if (!spare_.is_open()) return false;
  spare_.close();
  const bool taken = static_cast<bool>(event::accept_from(socket_.fd()));
  spare_ = event::Socket::spare();
  return taken;
}

}  // namespace kg::server
