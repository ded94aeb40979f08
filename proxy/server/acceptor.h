// Acceptor: one worker's listening socket for one listener.
//
// Accepts at most kAcceptsPerTurnMax per turn; out of descriptors it pauses for kAcceptBackoffMs.
// Judges nothing: AcceptHandler decides where the bare descriptor goes, before TLS.
#pragma once

#include <cstddef>

#include "proxy/event/socket.h"
#include "proxy/event/watcher.h"

namespace kg::server {

class AcceptHandler {
 public:
  virtual void on_accepted(size_t listener, event::Accepted accepted) = 0;

 protected:
  ~AcceptHandler() = default;
};

class Acceptor {
 public:
  Acceptor(event::EventLoop& loop, AcceptHandler& handler, size_t listener, event::Socket socket);

 private:
  void accept_some();

  AcceptHandler& handler_;
  size_t listener_;
  event::Socket socket_;
  event::ListenWatcher watcher_;
  event::Timer retry_;
};

}  // namespace kg::server
