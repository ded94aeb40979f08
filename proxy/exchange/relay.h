// Relay carries one open WebSocket: bytes both ways, unchanged, until both directions have ended.
//
//   Flowing --close()--> Parting --the gateway's Close or end, or kPartingMs--> Closing
//   Flowing, Parting --expel()--> Closing (our Close went to the client, or waits for a frame
//                                 boundary) --> Ended
//   Flowing --one side ends, dies or breaks the limit--> Half (the other lives kHalfCloseMs) -->
//   Parting --the client ends, or one breaks the limit-->      Ended
//   Flowing --the gateway is lost--> Gap --join()--> Flowing
//                                     \--give_up(), close(), expel(), or the client ends--> Half
//
// Parting: both sides could go on, so neither shall lose what it has said. The gateway hears our
// Close first, between two messages of the client's, and the client hears nothing until the gateway
// has said its own: so all that the gateway has said arrives. Until our Close has gone, what the
// client says goes up; nothing may follow it (RFC 6455 section 5.5.1), so from then on it goes
// nowhere and is counted: unasked, as if our Close had crossed it on its way, and like all that a
// stock server is asked while it reconnects (domain G19). A gateway that has not answered within
// kPartingMs is not waited for.
//
// Gap: the gateway's connection is lost and its owner makes a new one, while the client notices
// nothing but a pause: what it says waits (held_messages.h). Only with allow_gaps(), where nothing
// is cut that could not be made whole: the gateway was between two messages, and what the client
// said is held from the first byte of a message on. Lost is a connection that ends or resets
// without a Close, or with one that says that the gateway goes, not the kernel (goes_away()). One
// that is silent is not: what went up may never have arrived, and nobody could tell what.
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
#include <optional>
#include <string>
#include <string_view>

#include "metrics/gap_end.h"
#include "metrics/worker_metrics.h"
#include "proxy/base/error.h"
#include "proxy/base/websocket_settings.h"
#include "proxy/event/stream.h"
#include "proxy/exchange/liveness.h"
#include "proxy/exchange/record.h"
#include "proxy/exchange/upstream_link.h"
#include "proxy/websocket/frame_scanner.h"
#include "proxy/websocket/pong_filter.h"

namespace kg::exchange {

using metrics::GapEnd;
class KernelActivity;

class RelayOwner {
 public:
  virtual uint64_t relay_now_us() noexcept = 0;  // monotonic, that of the turn
  virtual void set_relay_deadline(uint64_t milliseconds) = 0;
  // Nobody is there any more: its connection ends without a goodbye when the relay does.
  virtual void relay_client_died() = 0;
  // After listen(): the frames of one whole message of the gateway, which went on already. May
  // say(), listen() or stop_listening().
  virtual void relay_heard(std::string_view frames) = 0;
  // A gap began: the owner closes what is left of the gateway's stream and looks for a new one, and
  // then says join() or give_up(). Not inside this call.
  virtual void relay_gap_began() = 0;
  // It ended without either: the new stream is not wanted any more.
  virtual void relay_gap_dropped() = 0;
  virtual void relay_ended() = 0;

 protected:
  ~RelayOwner() = default;
};

class Relay {
 public:
  Relay(RelayOwner& owner, event::Stream& client, event::Stream& upstream, ExchangeRecord& record,
        metrics::EndpointMetrics& counters, metrics::WorkerMetrics& metrics,
        const WebSocketSettings& settings, KernelActivity* activity = nullptr);
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
  // Ends a WebSocket that could go on, the gateway's side first: with the error's close code and
  // sentence unless the gateway said Close already.
  void close(ErrorCode why);
  // The same at once because the client may not go on: from now on nothing that it says is heard,
  // and the gateway is left as if it had vanished.
  void expel(ErrorCode why);
  // From now on a lost gateway makes a gap. `allowed`: else what a loss counts as.
  void allow_gaps(GapEnd allowed);
  // In a gap: the gateway's side goes on, from the first byte of a frame.
  void join(event::Stream& upstream);
  // In a gap: it does not. `how` is counted, the client gets the error's close code.
  void give_up(const Error& why, GapEnd how);
  // In a gap: says a whole message of ours to the client, at once.
  void say_in_gap(std::string_view frame);
  bool in_gap() const noexcept { return gap_since_us_ != 0; }
  // Says a whole message of ours to the client: `frame`, at once if no message of the gateway is
  // under way, else behind it. A newer one takes the place of one that waits. Never after a Close,
  // nor where the gateway's frames are lost; then, or if the WebSocket ends first, it counts as
  // unsaid.
  void say(std::string frame);
  // From the next message of the gateway on the owner hears each one, until it says something.
  void listen();
  void stop_listening();
  bool ending() const noexcept {
    return closing_ != Closing::kNo || client_.deaf || client_.ended || upstream_.ended;
  }
  // Either end has said that it ends.
  bool said_goodbye() const noexcept {
    return ending() || client_.frames.closed() || upstream_.frames.closed();
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

  enum class Closing : uint8_t {
    kNo,
    kParting,     // our Close goes to the gateway first
    kAtBoundary,  // it waits for a frame boundary towards the client
    kParted,      // both have it
  };

  // What the gateway's messages are followed for.
  struct Attention {
    std::string notice;  // waits for the end of a message
    std::string heard;   // frames of the one that runs
    bool listens = false;
    bool skips = false;  // this message: its begin was not heard, or it is too large
  };

  // relay.cc: bytes and endings.
  template <metrics::Direction kFrom>
  void take(std::string_view bytes, uint64_t now_us);
  size_t tell_and_scan(Peer& from, std::string_view bytes, size_t passed, uint64_t now_us);
  void tell(const Peer& from, std::string_view passed, uint64_t now_us);
  void pass(const Peer& from, Peer& to, std::string_view bytes);
  size_t pass_by_frames(Peer& from, Peer& to, std::string_view& bytes, uint64_t now_us);
  void pass_held(Peer& from, Peer& to);
  void finish_frame_to_client(std::string_view bytes);
  void account(const Peer& from, uint64_t messages_before, size_t bytes);
  void drained(Peer& taker, Peer& source);
  void resume(Peer& peer);
  void end_upstream(ErrorCode silent);
  void start_closing();
  void send_close_to_client();
  void leave_client(const ErrorRow* why);
  void leave_upstream(const ErrorRow* why);
  void refuse_message(Peer& from);
  void end();
  void remember_end(std::string_view closed_by, uint16_t close_code);

  // relay_parting.cc: the gateway's side first.
  void say_close_to_upstream();
  void leave_untaken(std::string_view bytes);
  void end_parting();

  // relay_gap.cc: what becomes of a lost gateway.
  bool is_loss() const noexcept;
  GapEnd hindrance();
  bool begin_gap();
  void lose_upstream();
  void end_gap(GapEnd how);
  void drop_gap();
  void abandon(ErrorCode why);
  void take_close(std::string_view bytes);

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
  KernelActivity* activity_;  // null: nobody wants to know
  UpstreamLink link_;
  Peer client_;
  Peer upstream_;                         // its stream is link_
  std::unique_ptr<Attention> attention_;  // only while something is to be said or heard
  std::string close_;                     // of the gateway's, until it is whole and judged
  uint64_t gap_since_us_ = 0;             // 0: none
  std::optional<GapEnd> gaps_;            // none: off; kMended: allowed
  Closing closing_ = Closing::kNo;
  bool ended_ = false;
};

}  // namespace kg::exchange
