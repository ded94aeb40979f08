// bench-upstream: the gateway behind every contestant of bench/run. Plain HTTP/1.1 on loopback, one
// thread, one epoll. Prints "listening PORT" and serves until it is killed.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_map>

#include "bench/peers/echo_session.h"
#include "proxy/base/assert.h"

namespace kg::bench {
namespace {

constexpr size_t kReadBytes = size_t{256} * 1024;  // one read takes what a socket usually holds
constexpr int kEventsPerWait = 256;

struct Peer {
  explicit Peer(int socket) : fd(socket) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { close(fd); }

  int fd;
  EchoSession session;
  std::string rest;    // an incomplete head or frame
  std::string output;  // not taken by the peer yet
  bool waits_for_room = false;
};

class Server {
 public:
  explicit Server(uint16_t port);
  [[noreturn]] void serve();

 private:
  void accept_all();
  bool on_ready(Peer& peer, uint32_t events);
  bool read_once(Peer& peer);
  bool flush(Peer& peer);
  void watch(int operation, int fd, uint32_t events) const;

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  std::unordered_map<int, std::unique_ptr<Peer>> peers_;
  std::unique_ptr<char[]> scratch_ = std::make_unique<char[]>(kReadBytes);
};

Server::Server(uint16_t port) {
  KG_ASSERT(epoll_ >= 0 && listener_ >= 0);
  const int one = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (bind(listener_, generic, size) != 0 || listen(listener_, 4096) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    std::perror("bench-upstream: cannot listen");
    std::exit(1);
  }
  watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  std::printf("listening %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
}

void Server::watch(int operation, int fd, uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll_, operation, fd, &event);
}

void Server::serve() {
  std::array<epoll_event, kEventsPerWait> events;
  for (;;) {
    const int ready = epoll_wait(epoll_, events.data(), kEventsPerWait, -1);
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      if (event.data.fd == listener_) {
        accept_all();
        continue;
      }
      const auto found = peers_.find(event.data.fd);
      if (found != peers_.end() && !on_ready(*found->second, event.events)) peers_.erase(found);
    }
  }
}

void Server::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    peers_[fd] = std::make_unique<Peer>(fd);
    watch(EPOLL_CTL_ADD, fd, EPOLLIN);
  }
}

bool Server::on_ready(Peer& peer, uint32_t events) {
  if (peer.waits_for_room) {
    if ((events & EPOLLOUT) != 0 && !flush(peer)) return false;
    return (events & (EPOLLERR | EPOLLHUP)) == 0;
  }
  return read_once(peer) && flush(peer) && !peer.session.over();
}

bool Server::read_once(Peer& peer) {
  const ssize_t got = recv(peer.fd, scratch_.get(), kReadBytes, 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  const auto size = static_cast<size_t>(got);
  if (peer.rest.empty()) {
    const size_t taken = peer.session.take(scratch_.get(), size, peer.output);
    if (taken < size) peer.rest.assign(scratch_.get() + taken, size - taken);
    return true;
  }
  peer.rest.append(scratch_.get(), size);
  peer.rest.erase(0, peer.session.take(peer.rest.data(), peer.rest.size(), peer.output));
  return true;
}

// A peer that does not take its answers is not read either: the memory stays bounded.
bool Server::flush(Peer& peer) {
  if (!peer.output.empty()) {
    const ssize_t sent = send(peer.fd, peer.output.data(), peer.output.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    peer.output.erase(0, sent < 0 ? 0 : static_cast<size_t>(sent));
  }
  const bool waits = !peer.output.empty();
  if (waits != peer.waits_for_room) {
    peer.waits_for_room = waits;
    watch(EPOLL_CTL_MOD, peer.fd, waits ? EPOLLOUT : EPOLLIN);
  }
  return true;
}

}  // namespace
}  // namespace kg::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const long port = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 0;
  if (argc > 2 || port < 0 || port > 65535) {
    std::fprintf(stderr, "usage: bench-upstream [PORT]\n");
    return 2;
  }
  kg::bench::Server(static_cast<uint16_t>(port)).serve();
}
