// Acceptor: one worker's listening socket for one listener.
//
// Accepts at most kAcceptsPerTurnMax per turn and judges nothing: AcceptHandler decides where the
// bare descriptor goes, before TLS. Out of descriptors it gives up a spare one to take each waiting
// client and close it at once, so that none hangs in the queue; out of that too, or of memory, it
// pauses for kAcceptBackoffMs.
#pragma once

#include <cstddef>

#include "proxy/event/socket.h"
#include "proxy/event/watcher.h"

namespace kg::server {

class AcceptHandler {
 public:
  virtual void on_accepted(size_t listener, event::Accepted accepted) = 0;
  // A client was closed, or waits, because there is no descriptor for it.
  virtual void on_out_of_descriptors() = 0;

 protected:
  ~AcceptHandler() = default;
};

class Acceptor {
 public:
  Acceptor(event::EventLoop& loop, AcceptHandler& handler, size_t listener, event::Socket socket);

 private:
  void accept_some();
  bool turn_one_away();

  AcceptHandler& handler_;
  size_t listener_;
  event::Socket socket_;
  event::Socket spare_;
  event::ListenWatcher watcher_;
  event::Timer retry_;
};

}  // namespace kg::server
