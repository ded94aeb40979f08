// Connection: one TLS connection of the session credentials API. It carries one request.
//
//   handshake, head, body: kRequestMs for all of it ──▶ the Desk works ──▶ the answer is sent
//   ──▶ what still comes is dropped for kLingerMs, so that no reset eats the answer ──▶ closed
//
// Every answer ends the connection (RFC 9112 section 9.6): calls are rare, and no byte behind a
// request can be taken for another one.
// Owner:  the Listener; dies by EventLoop::defer_delete. Thread: the loop's.
// Limits: limits.h. Errors: a request that is none gets an answer, a handshake that fails an alert.
#pragma once

#include <memory>
#include <string>

#include "proxy/event/event_loop.h"
#include "proxy/event/socket.h"
#include "proxy/event/watcher.h"
#include "proxy/http/body_reader.h"
#include "proxy/http/head_reader.h"
#include "proxy/tls/tls_stream.h"
#include "routing/controller/issuer/desk.h"

namespace kg::issuer {

class Connection;

class ConnectionOwner {
 public:
  virtual void forget(Connection& connection) = 0;  // closed: to be deleted between turns

 protected:
  ~ConnectionOwner() = default;
};

class Connection final : public event::Deferred, private tls::TlsHandler {
 public:
  // `jwks`: the public keys as they are when somebody asks.
  Connection(event::EventLoop& loop, ConnectionOwner& owner, Desk& desk,
             const std::function<std::string()>& jwks, std::shared_ptr<const tls::TlsContext> tls,
             const event::SocketAddress& peer);

  void open(event::Socket socket);

 private:
  enum class State : uint8_t { kHead, kBody, kWaiting, kClosing, kClosed };

  void on_handshake_done() override {}
  void on_data(std::string_view bytes) override;
  void on_end(bool clean) override;
  void on_drained() override;
  void on_error(const Error& error) override;
  void on_deadline();

  void read_head(std::string_view& bytes);
  void read_body(std::string_view& bytes);
  void on_head();
  void answer_keys();
  bool take_authorization();
  void ask();
  void answer(const Answer& answer);
  void refuse(const Error& error);
  void drop_application();
  void finish();
  void linger_once_sent();
  void close();

  event::EventLoop& loop_;
  ConnectionOwner& owner_;
  Desk& desk_;
  const std::function<std::string()>& jwks_;
  tls::TlsStream stream_;
  event::Deadline deadline_;
  http::RequestHead head_;
  http::RequestReader reader_{head_};
  http::BodyReader body_reader_;
  Asked asked_;
  std::unique_ptr<Desk::Application> application_;
  State state_ = State::kHead;
  bool peer_ended_ = false;
};

}  // namespace kg::issuer
