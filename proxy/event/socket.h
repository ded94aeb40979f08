// Socket: owner of one TCP descriptor, and the few calls the proxy makes on it.
//
// All sockets are non-blocking, close-on-exec and without Nagle's delay.
#pragma once

#include <string_view>

#include "proxy/base/result.h"
#include "proxy/event/address.h"

namespace kg::event {

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) noexcept : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { close(); }

  // Holds a descriptor for when there are no others; open or not.
  static Socket spare() noexcept;

  int fd() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }
  int release() noexcept;
  void close() noexcept;

  // SO_REUSEPORT: every worker listens by itself and the kernel spreads new connections.
  static Result<Socket> listen(const SocketAddress& address);
  // In progress or done; on_fd_writable tells when. The error's sys is the errno.
  static Result<Socket> connect(const SocketAddress& address);

  SocketAddress local_address() const;
  int pending_error() const noexcept;  // SO_ERROR: of a connect, or a reset
  // Acknowledge at once until data is sent the other way (tcp(7)): gateways leave Nagle's algorithm
  // on and would wait for our delayed acknowledgement, 40 ms a cell (domain 0.11).
  void set_quickack() const noexcept;
  void shutdown_write() const noexcept;
  // Nothing is readable and the peer has not closed: one look without taking a byte.
  bool is_quiet() const noexcept;

 private:
  int fd_ = -1;
};

struct Accepted {
  Socket socket;
  SocketAddress peer;
};
// errno EAGAIN when there is none; EMFILE and the like as they come.
Result<Accepted> accept_from(int listen_fd);

}  // namespace kg::event
