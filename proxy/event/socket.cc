#include "proxy/event/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "proxy/base/limits.h"

namespace kg::event {
namespace {

constexpr int kListenBacklog = 4096;  // the system's somaxconn caps it

void set_flag(int fd, int level, int option) noexcept {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof on);
}

// The last few descriptors are not for gateways, or nobody could read the metrics that say so. The
// bound is raised before the first connection, and only then looked up.
bool leaves_enough(int fd) noexcept {
  static const rlim_t mark = [] {
    rlimit bounds{};
    if (getrlimit(RLIMIT_NOFILE, &bounds) != 0) return RLIM_INFINITY;
    return bounds.rlim_cur - std::min<rlim_t>(bounds.rlim_cur, limits::kDescriptorsOwn);
  }();
  return static_cast<rlim_t>(fd) < mark;
}

Error system_error(ErrorCode code, const char* detail) { return {code, detail, errno}; }

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

int Socket::release() noexcept { return std::exchange(fd_, -1); }

void Socket::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Socket Socket::spare() noexcept {
  return Socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Result<Socket> Socket::listen(const SocketAddress& address) {
  Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return system_error(ErrorCode::kConfiguration, "socket");
  set_flag(socket.fd(), SOL_SOCKET, SO_REUSEADDR);
  set_flag(socket.fd(), SOL_SOCKET, SO_REUSEPORT);
  set_flag(socket.fd(), IPPROTO_TCP, TCP_NODELAY);  // inherited by what is accepted
  if (bind(socket.fd(), address.get(), address.size()) != 0) {
    return system_error(ErrorCode::kConfiguration, "bind");
  }
  if (::listen(socket.fd(), kListenBacklog) != 0) {
    return system_error(ErrorCode::kConfiguration, "listen");
  }
  return socket;
}

Result<Socket> Socket::connect(const SocketAddress& address) {
  Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return system_error(ErrorCode::kOverloaded, "out of descriptors");
  if (!leaves_enough(socket.fd())) return Error{ErrorCode::kOverloaded, "out of descriptors", 0};
  set_flag(socket.fd(), IPPROTO_TCP, TCP_NODELAY);
  if (::connect(socket.fd(), address.get(), address.size()) != 0 && errno != EINPROGRESS) {
    return system_error(ErrorCode::kUpstreamConnect, "connect");
  }
  return socket;
}

SocketAddress Socket::local_address() const {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &size);
  return {storage, size};
}

int Socket::pending_error() const noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

void Socket::set_quickack() const noexcept { set_flag(fd_, IPPROTO_TCP, TCP_QUICKACK); }

void Socket::shutdown_write() const noexcept { ::shutdown(fd_, SHUT_WR); }

bool Socket::is_quiet() const noexcept {
  char byte = 0;
  return recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

Result<Accepted> accept_from(int listen_fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const int fd = accept4(listen_fd, reinterpret_cast<sockaddr*>(&storage), &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return system_error(ErrorCode::kOverloaded, "accept");
  return Accepted{Socket(fd), SocketAddress(storage, size)};
}

}  // namespace kg::event
