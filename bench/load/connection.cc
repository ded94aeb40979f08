#include "bench/load/connection.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "proxy/base/assert.h"

namespace kg::bench {

namespace {

struct AddressList {
  addrinfo* head = nullptr;
  AddressList() = default;
  AddressList(const AddressList&) = delete;
  AddressList& operator=(const AddressList&) = delete;
  ~AddressList() {
    if (head != nullptr) freeaddrinfo(head);
  }
};

std::string tls_reason(SSL* tls) {
  const long verified = SSL_get_verify_result(tls);
  if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  const unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "connection lost" : reason;
}

}  // namespace

Stop::Stop() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { KG_ASSERT(fd_ >= 0); }

Stop::~Stop() { close(fd_); }

void Stop::request() noexcept {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
}

bool Stop::requested() const noexcept {
  pollfd entry{fd_, POLLIN, 0};
  return poll(&entry, 1, 0) > 0;
}

void rest(std::chrono::milliseconds duration, const Stop* stop) {
  const Deadline deadline = Clock::now() + duration;
  pollfd entry{stop == nullptr ? -1 : stop->fd(), POLLIN, 0};  // poll(2) ignores -1
  while (entry.revents == 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return;
    poll(&entry, 1, static_cast<int>(left));
  }
}

Connection::~Connection() {
  if (tls_) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());  // one close_notify, without waiting for the peer's
    tls_.reset();
    ERR_clear_error();
  }
  close(fd_);
}

Outcome<std::unique_ptr<Connection>> Connection::open(const Target& target, Deadline deadline,
                                                      const Stop* stop) {
  AddressList list;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const int failed =
      getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &list.head);
  if (failed != 0) return Failure{"resolve", target.host + ": " + gai_strerror(failed)};
  Failure last{"connect", target.host};
  for (const addrinfo* address = list.head; address != nullptr; address = address->ai_next) {
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return Failure{"connect", std::strerror(errno)};
    std::unique_ptr<Connection> connection(new Connection(fd, stop));
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int error = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      auto ready = connection->wait(POLLOUT, deadline);
      if (!ready) return ready.failure();
      socklen_t size = sizeof error;
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0) {
      last.detail = target.authority + ": " + std::strerror(error);
      continue;
    }
    if (target.tls) {
      auto shaken = connection->shake_hands(target, deadline);
      if (!shaken) return shaken.failure();
    }
    return connection;
  }
  return last;
}

Outcome<void> Connection::shake_hands(const Target& target, Deadline deadline) {
  tls_.reset(SSL_new(target.context.get()));
  if (!tls_ || SSL_set_fd(tls_.get(), fd_) != 1) return Failure{"tls", "out of memory"};
  expect_server(target, *tls_);
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(tls_.get());
    if (result == 1) return {};
    auto ready = wait_tls(result, "handshake", deadline);
    if (!ready) return ready;
  }
}

Outcome<void> Connection::wait(short events, Deadline deadline) const {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entries[2] = {{fd_, events, 0}, {stop_ == nullptr ? -1 : stop_->fd(), POLLIN, 0}};
    const int timeout = static_cast<int>(std::clamp<int64_t>(left + 1, 0, 3'600'000));
    const int ready = poll(entries, 2, timeout);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Failure{"poll", std::strerror(errno)};
    if (entries[1].revents != 0) return Failure{"interrupted", ""};
    if (entries[0].revents != 0) return {};
    if (Clock::now() >= deadline) return Failure{"timeout", ""};
  }
}

Outcome<void> Connection::wait_tls(int tls_result, const char* step, Deadline deadline) const {
  switch (SSL_get_error(tls_.get(), tls_result)) {
    case SSL_ERROR_WANT_READ:
      return wait(POLLIN, deadline);
    case SSL_ERROR_WANT_WRITE:
      return wait(POLLOUT, deadline);
    case SSL_ERROR_SYSCALL:
      return Failure{"closed", std::string(step) + ": " +
                                   (errno == 0 ? "connection lost" : std::strerror(errno))};
    default:
      return Failure{"tls", std::string(step) + ": " + tls_reason(tls_.get())};
  }
}

Outcome<void> Connection::write_all(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    if (tls_) {
      ERR_clear_error();
      size_t taken = 0;
      const int result = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &taken);
      if (result != 1) {
        auto ready = wait_tls(result, "write", deadline);
        if (!ready) return ready;
        continue;
      }
      bytes.remove_prefix(taken);
      continue;
    }
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      auto ready = wait(POLLOUT, deadline);
      if (!ready) return ready;
    } else {
      return Failure{"closed", std::strerror(errno)};
    }
  }
  return {};
}

Outcome<size_t> Connection::read_some(char* out, size_t size, Deadline deadline) {
  for (;;) {
    if (tls_) {
      ERR_clear_error();
      size_t got = 0;
      const int result = SSL_read_ex(tls_.get(), out, size, &got);
      if (result == 1) return got;
      if (SSL_get_error(tls_.get(), result) == SSL_ERROR_ZERO_RETURN) return size_t{0};
      auto ready = wait_tls(result, "read", deadline);
      if (!ready) return ready.failure();
      continue;
    }
    const ssize_t got = recv(fd_, out, size, 0);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EAGAIN) return Failure{"closed", std::strerror(errno)};
    auto ready = wait(POLLIN, deadline);
    if (!ready) return ready.failure();
  }
}

}  // namespace kg::bench
