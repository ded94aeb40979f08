// An OpenSSL client that never blocks, and the server side as the proxy has it, on one loop.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/limits.h"
#include "proxy/base/owned.h"
#include "proxy/tls/tls_stream.h"
#include "tests/unit/event/loop_support.h"
#include "tests/unit/event/stream_support.h"
#include "tests/unit/tls/certificates.h"

namespace kg::tls {

using Session = std::shared_ptr<SSL_SESSION>;

struct ClientWish {
  std::string server_name;
  std::string alpn;  // wire form: "\x08http/1.1"
  Session session;   // to resume
  int version = TLS1_3_VERSION;
};

class TestClient {
 public:
  TestClient(event::Socket socket, const ClientWish& wish)
      : socket_(std::move(socket)), context_(SSL_CTX_new(TLS_client_method())) {
    std::signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_security_level(context_.get(), 0);  // lets it try what the server must refuse
    SSL_CTX_set_min_proto_version(context_.get(), wish.version);
    SSL_CTX_set_max_proto_version(context_.get(), wish.version);
    // A context's own cache would spoil its sessions when it is freed.
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_mode(context_.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_.fd());
    if (!wish.server_name.empty()) {
      SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(wish.server_name.c_str()));
    }
    if (!wish.alpn.empty()) {
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wish.alpn.data()),
                          static_cast<unsigned>(wish.alpn.size()));
    }
    if (wish.session != nullptr) SSL_set_session(ssl_.get(), wish.session.get());
  }

  // Goes as far as it can without waiting.
  void step() {
    if (failed_reason != 0 || !socket_.is_open()) return;
    ERR_clear_error();
    if (!shaken) {
      const int result = SSL_connect(ssl_.get());
      if (result != 1) return look_at(result);
      shaken = true;
    }
    while (!to_send.empty()) {
      const int result = SSL_write(ssl_.get(), to_send.data(), static_cast<int>(to_send.size()));
      if (result <= 0) {
        look_at(result);
        break;
      }
      to_send.erase(0, static_cast<size_t>(result));
    }
    std::array<char, 16 * 1024> part;
    while (!clean_end && !cut_off && failed_reason == 0) {
      const int result = SSL_read(ssl_.get(), part.data(), static_cast<int>(part.size()));
      if (result <= 0) return look_at(result);
      data.append(part.data(), static_cast<size_t>(result));
      ++records;
    }
  }
  void say_goodbye() { SSL_shutdown(ssl_.get()); }
  void cut() { socket_.close(); }
  const event::Socket& socket() const { return socket_; }

  std::string certificate_name() const {
    const Owned<X509, X509_free> certificate(SSL_get1_peer_certificate(ssl_.get()));
    std::array<char, 100> name{};
    if (certificate != nullptr) {
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName,
                                name.data(), static_cast<int>(name.size()));
    }
    return name.data();
  }
  std::string alpn() const {
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &chosen, &size);
    return {reinterpret_cast<const char*>(chosen), size};
  }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // What to resume with: TLS 1.3 sends it after the handshake.
  Session session() const { return {SSL_get1_session(ssl_.get()), &SSL_SESSION_free}; }

  std::string to_send;
  std::string data;
  int records = 0;  // that brought data
  bool shaken = false;
  bool clean_end = false;
  bool cut_off = false;
  int failed_reason = 0;  // of OpenSSL

 private:
  void look_at(int result) {
    const int why = SSL_get_error(ssl_.get(), result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return;
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (why == SSL_ERROR_ZERO_RETURN) {
      clean_end = true;
    } else if (why == SSL_ERROR_SYSCALL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      cut_off = true;
    } else {
      failed_reason = reason;
    }
  }

  event::Socket socket_;
  Owned<SSL_CTX, SSL_CTX_free> context_;
  Owned<SSL, SSL_free> ssl_;
};

struct TestServer final : TlsHandler {
  TestServer(event::EventLoop& loop, std::shared_ptr<const TlsContext> context)
      : stream(loop, *this, std::move(context)) {}

  void on_handshake_done() override {
    happened.emplace_back("handshake");
    if (close_at_handshake) stream.close();
  }
  void on_data(std::string_view bytes) override {
    happened.emplace_back("data");
    data.append(bytes);
    if (!echo) return;
    stream.write(bytes);
    if (stream.unsent() > limits::kPendingBytesHigh) stream.pause(event::Pause::kPeerSlow);
  }
  void on_end(bool clean) override { happened.emplace_back(clean ? "end" : "cut"); }
  void on_drained() override { stream.resume(event::Pause::kPeerSlow); }
  void on_error(const Error& what) override {
    happened.emplace_back("error");
    error = what;
    if (finish_at_error) return stream.finish();
    stream.close();
  }

  TlsStream stream;
  std::string data;
  std::vector<std::string> happened;
  std::optional<Error> error;
  bool echo = false;
  bool close_at_handshake = false;
  bool finish_at_error = false;
};

// One connection between both.
class Connection {
 public:
  Connection(const std::shared_ptr<const TlsContext>& context, const ClientWish& wish)
      : server(loop_, context) {
    event::SocketPair pair = event::local_pair();
    client = std::make_unique<TestClient>(std::move(pair.peer), wish);
    server.stream.open(std::move(pair.ours));
  }
  bool run_until(const std::function<bool()>& done) {
    return event::run_until(loop_, [&] {
      client->step();
      return done();
    });
  }
  bool shake_hands() {
    return run_until([&] { return client->shaken && server.stream.handshake_done(); });
  }
  bool fails() {
    return run_until([&] { return server.error.has_value(); });
  }
  void run_turns() {
    for (int i = 0; i < 5; ++i) {
      client->step();
      event::run_turns(loop_, 1);
    }
  }

 private:
  event::EventLoop loop_;

 public:
  TestServer server;
  std::unique_ptr<TestClient> client;
};

}  // namespace kg::tls
