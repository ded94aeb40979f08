// Relay carries one open WebSocket: bytes both ways, unchanged, until both directions have ended.
//
//   Flowing --close()--> Closing (our Close went or waits for a frame boundary) --> Ended
//      \--one side ends--> Half (the other direction lives kHalfCloseMs) ---------> Ended
//
// The only bytes of our own are Close frames at frame boundaries: towards the client when the
// gateway vanishes or the proxy drains, towards the gateway when the client vanishes. A Close waits
// at most kCloseBoundaryMs for a boundary; then the transport ends without it. Owner:  the
// Exchange, which lends both streams and keeps the deadline. Thread: the worker's. Limits: above
// kPendingBytesHigh unsent on one side the other is not read. No deadline while both live:
//         a client that does not read stalls its own kernel's output, bounded, and loses nothing.
// Ends:   RelayOwner::relay_ended, once; nothing is called after it.
#pragma once

#include <cstdint>
#include <string_view>

#include "metrics/worker_metrics.h"
#include "proxy/base/error.h"
#include "proxy/event/stream.h"
#include "proxy/exchange/record.h"
#include "proxy/websocket/frame_scanner.h"

namespace kg::exchange {

class RelayOwner {
 public:
  virtual void set_relay_deadline(uint32_t milliseconds) = 0;
  virtual void relay_ended() = 0;

 protected:
  ~RelayOwner() = default;
};

class Relay {
 public:
  Relay(RelayOwner& owner, event::Stream& client, event::Stream& upstream, ExchangeRecord& record,
        metrics::EndpointMetrics& counters);
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
    return close_waits_ || client_told_ || client_ended_ || upstream_ended_;
  }
  bool scan_lost() const noexcept { return from_client_.lost() || from_upstream_.lost(); }

 private:
  void send_close_to_client();
  void leave_client();
  void leave_upstream(bool say_why);
  void end();
  void remember_end(std::string_view closed_by, uint16_t close_code);

  RelayOwner& owner_;
  event::Stream& client_;
  event::Stream& upstream_;
  ExchangeRecord& record_;
  metrics::EndpointMetrics& counters_;
  websocket::FrameScanner from_client_;
  websocket::FrameScanner from_upstream_;
  bool client_ended_ = false;  // nothing more comes from there
  bool upstream_ended_ = false;
  bool close_waits_ = false;  // for a frame boundary towards the client
  bool client_told_ = false;  // a last Close went to the client: the gateway's bytes are dropped
  bool ended_ = false;
};

}  // namespace kg::exchange
