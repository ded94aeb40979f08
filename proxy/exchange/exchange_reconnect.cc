// An open WebSocket's gateway is lost: the exchange finds it again.
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"
#include "proxy/websocket/message_frame.h"

namespace kg::exchange {

namespace {

constexpr std::string_view kSlow =
    "Kernelgate: the connection to the kernel was lost and is being made anew. Its gateway has not "
    "answered yet: it does once the kernel is free. Nothing has to be done; output of the meantime "
    "follows, if the gateway kept it.\n";

}  // namespace

// A gateway keeps what a kernel says in a gap for the session_id that went away (domain J33), and
// older clients name none (G23).
void Exchange::name_session() {
  if (endpoint_->endpoint->reconnect_ms == 0) return;
  own_session_id_ = crypto::random_uuid();
  request_.session_id = own_session_id_;
}

void Exchange::allow_gaps(const http::ResponseHead& head) {
  const uint32_t window_ms = endpoint_->endpoint->reconnect_ms;
  if (window_ms == 0) return;
  chosen_protocol_ = head.find("sec-websocket-protocol");
  reconnects_.emplace(window_ms);
  const bool extended = !head.find("sec-websocket-extensions").empty();
  relay_->allow_gaps(extended ? GapEnd::kExtension : GapEnd::kMended);
}

void Exchange::relay_gap_began() {
  release_upstream(false);
  ReconnectOwner& owner = *this;
  Reconnection::Place place{.loop = context_.loop,
                            .metrics = context_.metrics,
                            .endpoint = *endpoint_.get(),
                            .pod = *pod_,
                            .kernel = {std::string(request_.kernel_id), pod_tag()},
                            .plan = *reconnects_,
                            .protocol = chosen_protocol_,
                            .upgrade_ms = context_.settings.timeouts.first_byte_ms.upgrade};
  reconnection_ = std::make_unique<Reconnection>(std::move(place), owner);
  reconnection_->start();
}

void Exchange::stop_reconnecting() noexcept {
  if (reconnection_ == nullptr) return;
  reconnection_->cancel();
  context_.loop.defer_delete(std::move(reconnection_));
}

void Exchange::reconnect_moves(upstream::LocalPod& pod) {
  pod_ = &pod;
  record_.pod = pod.pod.name;
}

void Exchange::append_reconnect_head(std::string_view key, std::string& out) {
  pod_restarts_ = pod_->pod.facts->restarts();  // what it answers is of after these
  append_request_head(key, out);
}

void Exchange::reconnected(upstream::UpstreamConnection& connection) {
  KG_ASSERT(phase_ == Phase::kRelaying && upstream_ == nullptr);
  stop_reconnecting();
  upstream::UpstreamHandler& handler = *this;
  connection.hand_over(handler);
  upstream_ = &connection;
  learn_place(101);
  relay_->join(connection.stream());
}

void Exchange::reconnect_failed(const Error& why, GapEnd how) {
  stop_reconnecting();
  if (how == GapEnd::kDead) {
    learn_place(404);
    relay_->say_in_gap(framed(kernel::dead_notice(framing_, record_.request_id, event::wall_us())));
  }
  relay_->give_up(why, how);
}

void Exchange::reconnect_is_slow() {
  relay_->say_in_gap(
      framed(kernel::stderr_notice(framing_, kSlow, "", record_.request_id, event::wall_us())));
}

// A kernel message as one frame of the client's WebSocket.
std::string Exchange::framed(const std::string& message) const {
  const auto kind = framing_ == kernel::Framing::kV1 ? websocket::MessageKind::kBinary
                                                     : websocket::MessageKind::kText;
  return websocket::message_frame(kind, message);
}

}  // namespace kg::exchange
