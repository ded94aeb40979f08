// ScriptedApi: an API server on the test's own loop that answers what the test says, when it says
// so. Nothing happens at the same time as something else, so that every fault falls where it
// should.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/event/watcher.h"

namespace kg::kube {

inline std::string answer_of(const std::string& status, const std::string& body,
                             const std::string& fields = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         fields + "\r\n" + body;
}
inline std::string chunk_of(const std::string& bytes) {
  char size[20];
  snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

class ScriptedApi {
 public:
  explicit ScriptedApi(event::EventLoop& loop) : loop_(loop) {
    listen_fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    KG_ASSERT(::bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    KG_ASSERT(::listen(listen_fd_, 16) == 0);
    socklen_t size = sizeof address;
    ::getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    listening_ = std::make_unique<event::ListenWatcher>(loop, listen_fd_, [this] { accept(); });
  }
  ~ScriptedApi() {
    listening_.reset();
    ::close(listen_fd_);
  }
  ScriptedApi(const ScriptedApi&) = delete;
  ScriptedApi& operator=(const ScriptedApi&) = delete;

  uint16_t port() const { return port_; }

  // Answers, whole, in the order of the requests. Without one a request waits.
  std::deque<std::string> answers;
  std::vector<std::string> requests;  // their heads and bodies, in their order
  // Instead of those, where several ask at a time: the answer to a request, "" for none.
  std::function<std::string(const std::string& request)> answer_to;

  // The request that waits gets this: a watch's head, lines, or its clean end.
  void open_watch() { send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"); }
  void say(const std::string& bytes) { send(chunk_of(bytes)); }
  void end_watch() {
    send("0\r\n\r\n");
    hang_up();
  }
  // Closes behind what was sent: within a chunked answer that is a cut.
  void hang_up() {
    if (current_ != nullptr) current_->hanging_up = true;
    flush();
  }

 private:
  struct Connection {
    int fd = -1;
    std::string request;
    std::string unsent;
    bool hanging_up = false;
    std::unique_ptr<event::LevelWatcher> watcher;
    ~Connection() {
      if (watcher != nullptr) watcher->close();
      if (fd >= 0) ::close(fd);
    }
  };

  void accept() {
    auto connection = std::make_unique<Connection>();
    connection->fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection->fd < 0) return;
    Connection* raw = connection.get();
    connection->watcher = std::make_unique<event::LevelWatcher>(
        loop_, connection->fd, [this, raw](bool in, bool out) { act(*raw, in, out); });
    connection->watcher->want(true, false);
    connections_.push_back(std::move(connection));
  }

  void act(Connection& connection, bool readable, bool writable) {
    if (writable) write(connection);
    if (!readable) return;
    char bytes[4096];
    const ssize_t got = ::read(connection.fd, bytes, sizeof bytes);
    if (got <= 0) {
      if (got < 0 && errno == EAGAIN) return;
      if (current_ == &connection) current_ = nullptr;
      return connection.watcher->want(false, false);
    }
    connection.request.append(bytes, static_cast<size_t>(got));
    const size_t end = connection.request.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const size_t at = connection.request.find("Content-Length: ");
    const size_t body = at < end ? std::stoul(connection.request.substr(at + 16)) : 0;
    if (connection.request.size() < end + 4 + body) return;
    requests.push_back(connection.request);
    connection.request.clear();
    current_ = &connection;
    std::string answer = answer_to ? answer_to(requests.back()) : "";
    if (answer.empty() && answers.empty()) return;
    if (answer.empty()) {
      answer = answers.front();
      answers.pop_front();
    }
    send(answer);
    if (answer.starts_with("HTTP/1.1 200 OK\r\nTransfer-Encoding")) return;
    hang_up();
  }

  void send(const std::string& bytes) {
    if (current_ == nullptr) return;
    current_->unsent += bytes;
    flush();
  }
  void flush() {
    if (current_ != nullptr) write(*current_);
  }

  void write(Connection& connection) {
    while (!connection.unsent.empty()) {
      const ssize_t sent =
          ::send(connection.fd, connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        if (sent < 0 && errno != EAGAIN) connection.unsent.clear();  // the client has left
        break;
      }
      connection.unsent.erase(0, static_cast<size_t>(sent));
    }
    if (connection.unsent.empty() && connection.hanging_up) ::shutdown(connection.fd, SHUT_WR);
    connection.watcher->want(true, !connection.unsent.empty());
  }

  event::EventLoop& loop_;
  int listen_fd_ = -1;
  uint16_t port_ = 0;
  std::unique_ptr<event::ListenWatcher> listening_;
  std::vector<std::unique_ptr<Connection>> connections_;
  Connection* current_ = nullptr;  // of the newest request
};

}  // namespace kg::kube
