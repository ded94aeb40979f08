#include "proxy/server/acceptor.h"

#include <cerrno>

#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::server {

Acceptor::Acceptor(event::EventLoop& loop, AcceptHandler& handler, size_t listener,
                   event::Socket socket)
    : handler_(handler),
      listener_(listener),
      socket_(std::move(socket)),
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
      log::warn("server", "cannot accept: errno={}; raise the descriptor limit (ulimit -n)", why);
      watcher_.pause();
      retry_.arm_ms(limits::kAcceptBackoffMs);
      return;
    }
    if (why == EAGAIN) return;  // else: that connection died in the queue, the next may live
  }
}

}  // namespace kg::server
