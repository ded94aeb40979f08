// A handler that remembers, and both ends of connections for tests of streams.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/event/transport.h"

namespace kg::event {

struct Recorder final : TransportHandler {
  void on_connected() override { ++connected; }
  void on_data(std::string_view bytes) override {
    data.append(bytes);
    if (after_data) after_data(bytes);
  }
  void on_end(bool is_clean) override {
    ++ends;
    clean = is_clean;
  }
  void on_drained() override {
    ++drained;
    if (after_drained) after_drained();
  }
  void on_error(const Error& what) override {
    EXPECT_FALSE(error.has_value()) << "a second error";
    error = what;
  }
  bool is_untouched() const {
    return connected == 0 && data.empty() && ends == 0 && drained == 0 && !error;
  }

  std::string data;
  int connected = 0;
  int ends = 0;
  int drained = 0;
  bool clean = false;
  std::optional<Error> error;
  std::function<void(std::string_view)> after_data;
  std::function<void()> after_drained;
};

struct SocketPair {
  Socket ours;
  Socket peer;
};

inline SocketPair local_pair(int send_buffer_bytes = 0) {
  std::array<int, 2> fds{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
  for (const int fd : fds) {
    if (send_buffer_bytes == 0) break;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);
  }
  return {Socket(fds[0]), Socket(fds[1])};
}

inline Socket listen_anywhere() {
  Result<Socket> listener = Socket::listen(*SocketAddress::parse("127.0.0.1", 0));
  EXPECT_TRUE(listener.has_value());
  return std::move(*listener);
}

inline Socket connect_to(const SocketAddress& address) {
  Result<Socket> socket = Socket::connect(address);
  EXPECT_TRUE(socket.has_value());
  return std::move(*socket);
}

// The peer's side of a pair, without a loop.
inline size_t send_all_it_takes(const Socket& socket, std::string_view bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count =
        send(socket.fd(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) break;
    sent += static_cast<size_t>(count);
  }
  return sent;
}

struct Received {
  std::string bytes;
  bool end = false;  // nothing more will come, be it by an end or by a reset
};

inline Received receive_what_is_there(const Socket& socket) {
  Received received;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t count = recv(socket.fd(), part.data(), part.size(), MSG_DONTWAIT);
    received.end = count == 0 || (count < 0 && errno == ECONNRESET);
    if (count <= 0) return received;
    received.bytes.append(part.data(), static_cast<size_t>(count));
  }
}

// Bytes that show where they were cut, doubled or lost.
inline std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace kg::event
