// Relay carries one open WebSocket: bytes both ways, unchanged, until both directions have ended.
//
//   Flowing --close()--> Closing (our Close went or waits for a frame boundary) --> Ended
//      \--one side ends, dies or breaks the limit--> Half (the other lives kHalfCloseMs) --> Ended
//
// The only bytes of our own, at frame boundaries: a ping to a side that is silent (its pong is
// taken out again), a notice to the client between two messages, and a Close where one side
// vanishes, dies, sends too large a message or may not go on, or the proxy drains. A Close waits at
// most kCloseBoundaryMs for a boundary; then the transport ends without it.
// Owner:  the Exchange, which lends both streams and keeps the deadline. Thread: the worker's.
// Limits: above kPendingBytesHigh unsent on one side the other is not read; WebSocketSettings; one
//         notice waits at most, no longer than the WebSocket lives; a message that the owner wants
//         to hear is kept up to kHeardBytesMax.
//         A client that does not read stalls its own kernel's output, bounded, and loses nothing
//         while it lives (liveness.h): what it takes proves that as well as what it says.
// Ends:   RelayOwner::relay_ended, once; nothing is called after it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
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
  // After listen(): the frames of one whole message of the gateway, which went on already. May
  // say(), listen() or stop_listening().
  virtual void relay_heard(std::string_view frames) = 0;
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
  // The same because the client may not go on: from now on nothing that it says is heard, and the
  // gateway is left as if it had vanished.
  void expel(ErrorCode why);
  // Says a whole message of ours to the client: `frame`, at once if no message of the gateway is
  // under way, else behind it. A newer one takes the place of one that waits. Never after a Close,
  // nor where the gateway's frames are lost; then, or if the WebSocket ends first, it counts as
  // unsaid.
  void say(std::string frame);
  // From the next message of the gateway on the owner hears each one, until it says something.
  void listen();
  void stop_listening();
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

  // What the gateway's messages are followed for.
  struct Attention {
    std::string notice;  // waits for the end of a message
    std::string heard;   // frames of the one that runs
    bool listens = false;
    bool skips = false;  // this message: its begin was not heard, or it is too large
  };

  // relay.cc: bytes and endings.
  void take(Peer& from, Peer& to, std::string_view bytes);
  size_t pass_by_frames(Peer& from, Peer& to, std::string_view bytes);
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

  // relay_notice.cc: what is said to the client, and heard for it.
  bool is_attended(const Peer& from) const noexcept {
    return attention_ != nullptr && from.direction == metrics::kFromUpstream;
  }
  Attention& attention();
  void attend(std::string_view frames);
  void say_notice();

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
  std::unique_ptr<Attention> attention_;  // only while something is to be said or heard
  bool close_waits_ = false;              // for a frame boundary towards the client
  bool ended_ = false;
};

}  // namespace kg::exchange
