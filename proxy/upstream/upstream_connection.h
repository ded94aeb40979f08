// UpstreamConnection: one HTTP/1.1 connection to a gateway pod, used by one exchange at a time.
//
//   Connecting --> Idle <--> Active --> Tunnel      (Tunnel: after a 101, bytes both ways)
//        \           \         \           \--> Closed
//
// Owner:   the PodPool. An exchange borrows it between lease and release; it may write while the
//          connection is still being made. Dies between turns only.
// Errors:  one on_upstream_error per lease at most, and nothing after it. kUpstreamConnect and
//          kUpstreamConnectTimeout: nothing was sent. kUpstreamTls: the pod is not who it should
//          be, or TLS broke. kUpstreamReset: no byte of an answer came. kUpstreamGone: the answer
//          broke off. kUpstreamProtocol: the answer is not HTTP.
// Limits:  the deadline given to connect(), TLS handshake included; the exchange keeps all other
// deadlines.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "metrics/worker_metrics.h"
#include "proxy/event/transport.h"
#include "proxy/http/body_reader.h"
#include "proxy/http/head_reader.h"
#include "proxy/tls/tls_client_stream.h"

namespace kg::upstream {

class PodPool;

class UpstreamHandler {
 public:
  // A final head, or a 101. The handler may release or close the connection inside any of these.
  virtual void on_response_head(const http::ResponseHead& head) = 0;
  virtual void on_interim_head(const http::ResponseHead& head) = 0;  // 1xx but 101
  virtual void on_response_body(std::string_view payload) = 0;
  virtual void on_response_end() = 0;
  virtual void on_tunnel_data(std::string_view bytes) = 0;
  virtual void on_tunnel_end() = 0;
  virtual void on_upstream_drained() = 0;
  virtual void on_upstream_error(const Error& error) = 0;

 protected:
  ~UpstreamHandler() = default;
};

class UpstreamConnection final : public event::Deferred, private event::TransportHandler {
 public:
  // `peer`: null for plain HTTP.
  UpstreamConnection(event::EventLoop& loop, PodPool& pool, metrics::WorkerMetrics& metrics,
                     tls::TlsPeer* peer);

  void connect(event::Socket socket, uint32_t connect_ms);
  // From here on the answer to `method` is awaited and told to `handler`.
  void begin(UpstreamHandler& handler, http::Method method);
  void detach() noexcept { handler_ = nullptr; }
  // Inside on_response_head of a 101: what follows is the tunnel's.
  void become_tunnel();
  // The rest of the answer, or the tunnel, is told to `handler`.
  void hand_over(UpstreamHandler& handler) noexcept { handler_ = &handler; }

  event::Stream& stream() noexcept;
  bool reused() const noexcept { return uses_ > 1; }
  // Nothing has gone out yet.
  bool connecting() const noexcept { return state_ == State::kConnecting; }
  bool is_open() const noexcept { return transport_.is_open(); }
  // Whether the pool counts it as a request in flight.
  bool counted() const noexcept { return counted_; }
  void set_counted(bool counted) noexcept { counted_ = counted; }
  bool leased() const noexcept { return leased_; }
  void set_leased(bool leased) noexcept { leased_ = leased; }
  // The answer ended, the connection may serve another request.
  bool reusable() const noexcept { return state_ == State::kIdle && keep_alive_ && is_open(); }
  bool is_quiet() const noexcept { return transport_.socket().is_quiet(); }
  uint64_t connect_us() const noexcept { return connect_us_; }
  uint64_t idle_since_us() const noexcept { return idle_since_us_; }
  void mark_idle(uint64_t now_us) noexcept { idle_since_us_ = now_us; }
  void close() noexcept;

 private:
  enum class State : uint8_t { kConnecting, kIdle, kActive, kTunnel, kClosed };
  event::TransportHandler& as_handler() noexcept { return *this; }
  void on_connected() override;
  void on_data(std::string_view bytes) override;
  void on_end(bool clean) override;
  void on_drained() override;
  void on_error(const Error& error) override;
  bool read_head(std::string_view& bytes);
  bool read_body(std::string_view& bytes);
  void take_head(bool more_came);
  void end_response();
  void fail(const Error& error);

  PodPool& pool_;
  metrics::WorkerMetrics& metrics_;
  std::unique_ptr<tls::TlsClientStream> tls_;  // over transport_; null for plain HTTP
  event::Transport transport_;
  event::Deadline connect_deadline_;
  UpstreamHandler* handler_ = nullptr;
  http::ResponseHead head_;
  http::ResponseReader reader_;
  http::BodyReader body_;
  uint64_t opened_us_;
  uint64_t connect_us_ = 0;
  uint64_t idle_since_us_ = 0;
  uint32_t uses_ = 0;
  int interim_heads_ = 0;  // of the answer that is awaited
  State state_ = State::kConnecting;
  bool active_ = false;        // begin() was called, the answer is not complete
  bool answer_began_ = false;  // a byte of it came, of an interim head also
  bool head_done_ = false;
  bool keep_alive_ = true;
  bool counted_ = false;
  bool leased_ = false;
};

}  // namespace kg::upstream
