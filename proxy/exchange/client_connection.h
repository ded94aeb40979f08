// ClientConnection: one accepted connection from TLS handshake to close, and the turns of its
// exchanges.
//
//   Handshake --> Head <--> Exchange --> Closing --> Closed
//
// Head: a request head is awaited or arriving. Exchange: one runs, a WebSocket for its whole life;
// bytes of a next request wait in leftover_ and reading pauses (Pause::kPipelined), as they do
// while the client leaves too much of earlier answers unread. Closing: our last bytes and end are
// on their way, for write_stall at most; then what still comes is dropped for kLingerMs, so that
// no reset eats the answer.
// Owner:  the ConnectionTable of the worker; dies between turns. Thread: the worker's.
// Limits: Settings; one request at a time, in order. Each bound that acts is counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxy/exchange/context.h"
#include "proxy/exchange/kernel_access.h"
#include "proxy/exchange/kernel_sight.h"
#include "proxy/exchange/record.h"
#include "proxy/http/head_reader.h"
#include "proxy/tls/tls_stream.h"

namespace kg::exchange {

class ClientConnection;
class Exchange;

class ConnectionTable {
 public:
  virtual void forget(ClientConnection& connection) = 0;

 protected:
  ~ConnectionTable() = default;
};

class ClientConnection final : public event::Deferred, private tls::TlsHandler {
 public:
  ClientConnection(WorkerContext& context, ConnectionTable& table,
                   std::shared_ptr<const ListenerFacts> listener, const event::SocketAddress& peer,
                   ClientCounts::Hold address_hold);
  ~ClientConnection() override;

  void open(event::Socket socket);
  // Drain, second phase: idle connections close now, others after their exchange.
  void close_when_idle();
  // Drain: ends an open WebSocket with that error's code and reason. No effect on other exchanges.
  void close_websocket(ErrorCode why);
  bool is_websocket() const noexcept;
  bool is_open_websocket() const noexcept;  // and not ending yet
  bool is_idle_websocket() const noexcept;  // open, and its kernel is known to do nothing
  std::optional<KernelSight> kernel_sight() const;
  void close();  // at once, whatever runs

  // For its exchange.
  event::Stream& stream() noexcept { return stream_; }
  http::RequestHead& head() noexcept { return head_; }
  const ListenerFacts& listener() const noexcept { return *listener_; }
  ClientFacts facts() const;
  KernelAccess& kernel_access();
  const std::string& peer_host() const noexcept { return peer_host_; }
  bool peer_trusted() const noexcept { return peer_trusted_; }
  // The request's client: whom a trusted proxy names, who is nobody if it names none.
  bool comes_from(const event::AddressRanges& sources) const;
  const PeerCertificate* certificate() const noexcept { return certificate_.get(); }
  // Who asks for this request to be recognised.
  Caller caller() noexcept;
  // The certificate that this connection began with is not the Host's (RFC 9110 section 15.5.20).
  // An ALB sends no server name and carries many hosts on one connection.
  bool is_misdirected() const;
  // Whether another request may follow the one that runs.
  bool may_reuse() const noexcept;
  void set_deadline_ms(uint64_t milliseconds) { deadline_.set_ms(milliseconds); }
  void clear_deadline() noexcept { deadline_.clear(); }
  // An answer ends short: no close_notify may make it look whole.
  void break_off() noexcept { lost_ = true; }
  // The exchange wants the bytes that wait in leftover_: a WebSocket began.
  void offer_leftover();
  // The exchange is over, its record written: next head, or goodbye.
  void exchange_finished(bool reuse);

 private:
  enum class State : uint8_t { kHandshake, kHead, kExchange, kClosing, kClosed };
  // Takes up the bytes of a pipelined request once its turn has come.
  struct LeftoverTask final : event::Task {
    explicit LeftoverTask(ClientConnection& owner) : connection(owner) {}
    void run_task() override { connection.take_leftover(); }
    ClientConnection& connection;
  };
  void on_handshake_done() override;
  void on_data(std::string_view bytes) override;
  void on_end(bool clean) override;
  void on_drained() override;
  void on_error(const Error& error) override;
  void on_deadline();
  bool read_head(std::string_view& bytes);
  void start_exchange();
  void refuse_head(const Error& error);
  void count_head_limit(const Error& error) noexcept;
  void keep_leftover(std::string_view bytes);
  void take_leftover();
  void await_head();
  void close_gracefully();
  void linger_once_sent();
  void linger_on();

  WorkerContext& context_;
  ConnectionTable& table_;
  std::shared_ptr<const ListenerFacts> listener_;
  tls::TlsStream stream_;
  event::Deadline deadline_;
  LeftoverTask leftover_task_;
  http::RequestHead head_;
  http::RequestReader reader_;
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<KernelAccess> kernel_access_;  // from the first kernel on that is asked for
  std::string leftover_;
  ClientCounts::Hold address_hold_;
  std::string peer_text_;
  std::string peer_host_;
  std::unique_ptr<const PeerCertificate> certificate_;  // null without one
  auth::SessionCache::Slot session_slot_;
  uint64_t opened_us_;
  uint64_t linger_end_us_ = 0;  // Closing: all is sent, bytes that come are dropped until then
  uint32_t requests_ = 0;
  State state_ = State::kHandshake;
  bool peer_trusted_ = false;
  bool peer_ended_ = false;
  bool lost_ = false;          // the transport is dead, or has to look so
  bool alerting_ = false;      // TLS failed: its alert is the last that we say
  bool in_data_ = false;       // on_data is on the stack and goes on by itself
  bool last_request_ = false;  // close after the running exchange
};

}  // namespace kg::exchange
