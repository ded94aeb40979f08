// Exchange: one request and its answer, or one WebSocket, from parsed head to log line.
//
//   Received --> Collecting --> Queued --> Waiting --> Responding --> Done
//       |   (kernel start only)   |           |  \--error--> Holding --/
//       |                         |           |  \--101--> Relaying --/
//       \-------------------------+-----------+--> Failing: local reply, or abort once an answer
//       began
//
// Received: route, operation, session are judged, nothing went upstream. Collecting: the small body
// of a kernel start is held, because its deadline stands inside (domain G14). Queued: waits for a
// pooled connection. Waiting: the request is on its way, its body streams. Holding: a gateway's
// error is read whole, so that nothing but its reason and message goes on. Done is entered once, by
// finish().
// Owner:  the ClientConnection. Thread: the worker's.
// Flow:   client -> upstream pauses the client above kPendingBytesHigh and opens it in
//         on_upstream_drained; upstream -> client pauses the upstream and opens it in
//         on_client_drained.
// Errors: rows of error.h. A request is sent a second time only where Retry says so (RFC 9110
// section 9.2.2).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/exchange/context.h"
#include "proxy/exchange/record.h"
#include "proxy/exchange/relay.h"
#include "proxy/http/body_reader.h"
#include "proxy/kernel/operation.h"

namespace kg::exchange {

class ClientConnection;

class Exchange final : public event::Deferred,
                       private upstream::UpstreamHandler,
                       private upstream::LeaseWaiter,
                       private RelayOwner {
 public:
  Exchange(WorkerContext& context, ClientConnection& client);
  ~Exchange() override;

  // May finish at once.
  void start();
  // Takes bytes of the body or the WebSocket; the rest belongs to the next request.
  size_t on_client_data(std::string_view bytes);
  void on_client_end(bool clean);
  void on_client_lost(const Error& error);
  void on_client_drained();
  void on_deadline();
  // Ends at once, without an answer: the process is going.
  void abort();
  bool is_relaying() const noexcept { return relay_ != nullptr; }
  bool is_open_relay() const noexcept { return relay_ != nullptr && !relay_->ending(); }
  void close_relay(ErrorCode why) { relay_->close(why); }

 private:
  enum class Phase : uint8_t {
    kReceived,
    kCollecting,
    kQueued,
    kWaiting,
    kHolding,
    kResponding,
    kRelaying,
    kDone
  };

  // exchange.cc: the request's way.
  bool answer_health();
  Result<void> admit();
  Result<void> judge();
  Result<void> judge_operation();
  bool would_hold_memory() const noexcept;
  void take_body(std::string_view payload);
  void end_body();
  void lease(upstream::LeaseKind kind);
  void send_request(upstream::UpstreamConnection& connection);
  void append_request_head();
  void send_body(std::string_view payload);
  // exchange_deadlines.cc.
  void await_body();
  void grant_body_time(size_t bytes);
  void body_timed_out();
  void watch_answer();
  uint32_t answer_deadline_ms() const noexcept;
  bool may_be_sent_twice() const noexcept;
  bool may_retry(const Error& error) const noexcept;
  void on_lease(upstream::UpstreamConnection& connection) override;
  void on_lease_failed(const Error& error) override;

  // exchange_answer.cc: the answer's way.
  void on_response_head(const http::ResponseHead& head) override;
  void on_interim_head(const http::ResponseHead& head) override;
  void on_response_body(std::string_view payload) override;
  void on_response_end() override;
  void on_tunnel_data(std::string_view bytes) override;
  void on_tunnel_end() override;
  void on_upstream_drained() override;
  void on_upstream_error(const Error& error) override;
  uint64_t relay_now_us() noexcept override { return context_.loop.now_us(); }
  void set_relay_deadline(uint64_t milliseconds) override;
  void relay_client_died() override;
  void relay_ended() override;
  void start_relay(const http::ResponseHead& head);
  void relay_answer_head(const http::ResponseHead& head);
  void learn_kernel(const http::ResponseHead& head);
  void fail(const Error& error);

  // exchange_error.cc: a gateway's error.
  void hold_error(const http::ResponseHead& head);
  void hold_error_body(std::string_view payload);
  void send_error(bool whole);

  void release_upstream(bool healthy);
  void finish(bool reuse);

  WorkerContext& context_;
  ClientConnection& client_;
  ExchangeRecord record_;
  ClientCounts::Hold client_hold_;
  upstream::EndpointPin endpoint_;
  kernel::KernelRequest request_;
  std::string_view upstream_path_;  // the request's path after the endpoint's prefix
  std::string offered_protocols_;   // WebSocket
  upstream::UpstreamConnection* upstream_ = nullptr;  // leased
  std::unique_ptr<Relay> relay_;
  http::BodyReader body_;
  std::string held_body_;  // Collecting, or what came before the lease
  std::string held_head_;  // Holding: what goes to the client, without length and end
  std::string held_error_;
  uint64_t body_until_us_ = 0;  // the body's deadline
  uint64_t body_seen_us_ = 0;   // its last byte
  uint32_t launch_ms_ = 0;
  Phase phase_ = Phase::kReceived;
  bool wants_websocket_ = false;
  bool collects_ = false;  // a kernel start
  bool retried_ = false;
  bool chunk_answer_ = false;
  bool coded_error_ = false;  // Holding: the body is compressed
  bool close_after_ = false;  // the answer said Connection: close
};

}  // namespace kg::exchange
