// Relay carries one open WebSocket: bytes both ways, unchanged, until both directions have ended.
//
//   Flowing --close()--> Closing (our Close went or waits for a frame boundary) --> Ended
//      \--one side ends, dies or breaks the limit--> Half (the other lives kHalfCloseMs) --> Ended
//
// The only bytes of our own, at frame boundaries: a ping to a side that is silent (its pong is
// taken out again), and a Close where one side vanishes, dies or sends too large a message, or the
// proxy drains. A Close waits at most kCloseBoundaryMs for a boundary; then the transport ends
// without it. Owner:  the Exchange, which lends both streams and keeps the deadline. Thread: the
// worker's. Limits: above kPendingBytesHigh unsent on one side the other is not read;
// WebSocketSettings.
//         A client that does not read stalls its own kernel's output, bounded, and loses nothing
//         while it lives (liveness.h): what it takes proves that as well as what it says.
// Ends:   RelayOwner::relay_ended, once; nothing is called after it.
#pragma once

#include <cstdint>
#include <string_view>

#include "metrics/worker_metrics.h"
#include "proxy/base/error.h"
#include "proxy/base/websocket_settings.h"
#include "proxy/event/stream.h"
#include "proxy/exchange/liveness.h"
#include "proxy/exchange/record.h"
#include "proxy/websocket/frame_scanner.h"
#include "proxy/websocket/pong_filter.h"

namespace kg::exchange {

class RelayOwner {
 public:
  virtual uint64_t relay_now_us() noexcept = 0;  // monotonic, that of the turn
  virtual void set_relay_deadline(uint64_t milliseconds) = 0;
  // Nobody is there any more: its connection ends without a goodbye when the relay does.
  virtual void relay_client_died() = 0;
  virtual void relay_ended() = 0;

 protected:
  ~RelayOwner() = default;
};

class Relay {
 public:
  Relay(RelayOwner& owner, event::Stream& client, event::Stream& upstream, ExchangeRecord& record,
        metrics::EndpointMetrics& counters, metrics::WorkerMetrics& metrics,
        const WebSocketSettings& settings);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  void on_client_data(std::string_view bytes);
  void on_client_end();
  void on_client_lost();  // dead in both directions
  void on_client_drained();
  void on_upstream_data(std::string_view bytes);
  void on_upstream_end();
  void on_upstream_lost();
  void on_upstream_drained();
  void on_deadline();
  // Ends the WebSocket from our side, with the error's close code and sentence unless the gateway
  // said Close already.
  void close(ErrorCode why);
  bool ending() const noexcept {
    return close_waits_ || client_.deaf || client_.ended || upstream_.ended;
  }
  bool scan_lost() const noexcept { return client_.frames.lost() || upstream_.frames.lost(); }

 private:
  struct Peer {
    event::Stream& stream;
    metrics::Direction direction;
    Liveness life;
    websocket::PongFilter pongs;
    websocket::FrameScanner frames{};  // those that it sends
    bool paused = false;               // we do not read it
    bool ended = false;                // nothing more comes from there, or is taken
    bool deaf = false;                 // nothing more goes there
  };

  // relay.cc: bytes and endings.
  void take(Peer& from, Peer& to, std::string_view bytes);
  size_t pass_without_pongs(Peer& from, Peer& to, std::string_view bytes);
  void pass_held(Peer& from, Peer& to);
  void finish_frame_to_client(std::string_view bytes);
  void account(const Peer& from, uint64_t messages_before, size_t bytes);
  void drained(Peer& taker, Peer& source);
  void resume(Peer& peer);
  void start_closing();
  void send_close_to_client();
  void leave_client(const ErrorRow* why);
  void leave_upstream(const ErrorRow* why);
  void refuse_message(Peer& from);
  void end();
  void remember_end(std::string_view closed_by, uint16_t close_code);

  // relay_life.cc: pings and the dead.
  void look_at_life();
  uint64_t look_at(Peer& peer, const Peer& other);
  bool ask(Peer& peer, const Peer& other);
  void bury_client();
  void bury_upstream();

  RelayOwner& owner_;
  ExchangeRecord& record_;
  metrics::EndpointMetrics& counters_;
  metrics::WorkerMetrics& metrics_;
  Peer client_;
  Peer upstream_;
  bool close_waits_ = false;  // for a frame boundary towards the client
  bool ended_ = false;
};

}  // namespace kg::exchange
