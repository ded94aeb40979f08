// HttpsPeer: a scripted service behind TLS on loopback, one thread for each connection.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proxy/base/owned.h"
#include "tests/unit/tls/certificates.h"

namespace kg::fetch {

inline std::string answer_of(const std::string& status, const std::string& body,
                             const std::string& fields = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         fields + "\r\n" + body;
}

class HttpsPeer {
 public:
  // From a whole request to the bytes of an answer; "" says nothing and holds the connection.
  using Script = std::function<std::string(const std::string& request)>;

  HttpsPeer(const tls::CertificateFiles* files, Script script) : script_(std::move(script)) {
    std::signal(SIGPIPE, SIG_IGN);  // a client that breaks off is no end of the test
    if (files != nullptr) make_context(*files);
    listen_fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listen_fd_, 512), 0);
    socklen_t size = sizeof address;
    ::getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~HttpsPeer() {
    ::shutdown(listen_fd_, SHUT_RDWR);
    accepting_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : fds_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int fd : fds_) ::close(fd);
    ::close(listen_fd_);
  }
  HttpsPeer(const HttpsPeer&) = delete;
  HttpsPeer& operator=(const HttpsPeer&) = delete;

  uint16_t port() const { return port_; }
  SSL_CTX* context() { return context_.get(); }
  int connections() const { return connections_; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void make_context(const tls::CertificateFiles& files) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context_.get(), files.certificate.c_str()), 1);
    EXPECT_EQ(
        SSL_CTX_use_PrivateKey_file(context_.get(), files.private_key.c_str(), SSL_FILETYPE_PEM),
        1);
  }

  void accept_all() {
    while (true) {
      const int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      const std::lock_guard lock(mutex_);
      fds_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    Owned<SSL, SSL_free> ssl;
    if (context_ != nullptr) {
      ssl.reset(SSL_new(context_.get()));
      SSL_set_fd(ssl.get(), fd);
      if (SSL_accept(ssl.get()) != 1) return static_cast<void>(::shutdown(fd, SHUT_RDWR));
    }
    const auto read = [&](char* to, int size) {
      return ssl ? SSL_read(ssl.get(), to, size)
                 : static_cast<int>(::read(fd, to, static_cast<size_t>(size)));
    };
    std::string request;
    char bytes[4096];
    while (!is_whole(request)) {
      const int got = read(bytes, sizeof bytes);
      if (got <= 0) return;
      request.append(bytes, static_cast<size_t>(got));
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const std::string answer = script_(request);
    if (answer.empty()) return static_cast<void>(read(bytes, sizeof bytes));
    if (ssl) {
      SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size()));
      SSL_shutdown(ssl.get());
    } else {
      EXPECT_EQ(::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(answer.size()));
    }
    ::shutdown(fd, SHUT_WR);
  }

  static bool is_whole(const std::string& request) {
    const size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const size_t at = request.find("Content-Length: ");
    const size_t size = at < end ? std::stoul(request.substr(at + 16)) : 0;
    return request.size() >= end + 4 + size;
  }

  Script script_;
  Owned<SSL_CTX, SSL_CTX_free> context_;
  int listen_fd_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::thread accepting_;
  mutable std::mutex mutex_;
  std::vector<int> fds_;
  std::vector<std::thread> threads_;
  std::vector<std::string> requests_;
};

}  // namespace kg::fetch
