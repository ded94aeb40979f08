// The answer's way through an Exchange: from the gateway's head to finish().
#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/kernel_activity.h"
#include "proxy/exchange/local_reply.h"
#include "proxy/http/forwarding.h"
#include "proxy/websocket/handshake.h"
#include "proxy/websocket/token_protocol.h"

namespace kg::exchange {

using event::Pause;
using http::Framing;
using http::Method;
using kernel::Operation;

void Exchange::on_interim_head(const http::ResponseHead& head) {
  // Our own 100 was sent already; HTTP/1.0 knows no interim answers (RFC 9110 section 15.2).
  if (head.status == 100 || client_.head().version_minor == 0) return;
  context_.scratch.clear();
  http::append_client_interim(head, context_.scratch);
  client_.stream().write(context_.scratch);
}

void Exchange::on_response_head(const http::ResponseHead& head) {
  KG_ASSERT(phase_ == Phase::kWaiting);
  record_.first_byte_us = event::monotonic_us();
  pod_->answered(head.status, context_.loop.now_us());
  if (revived_ && head.status < 400) note_lost_memory();
  learn_place(head.status);
  if (endpoint_->endpoint->notebook_sessions) forget_notebooks(head.status);
  record_.upstream_connect_us = record_.upstream_reused ? 0 : upstream_->connect_us();
  // It concerns the endpoint's token, not the client's session, which a 401 would blame.
  if (head.status == 401 && !forwards()) return fail({ErrorCode::kUpstreamToken, "", 0});
  // Details of an error, tracebacks for example, do not leave the cluster (domain J4a).
  if (head.status >= 400 && request_.operation != Operation::kOther) return hold_answer(head);
  if (notebook_ != nullptr) return take_notebook_head(head);
  if (reduces_list()) return hold_list(head);
  if (head.status != 101) return relay_answer_head(head);
  if (!wants_websocket_)
    return fail({ErrorCode::kUpstreamProtocol, "101 that nobody asked for", 0});
  const Result<void> accepted = websocket::check_response(head, client_.head(), offered_protocols_);
  if (!accepted) return fail(accepted.error());
  start_relay(head);
}

void Exchange::start_relay(const http::ResponseHead& head) {
  phase_ = Phase::kRelaying;
  record_.status = 101;
  record_.websocket = true;
  context_.metrics.upgrade.observe_us(record_.first_byte_us - record_.sent_us);
  context_.launches.connected(record_.kernel_id);
  upstream_->become_tunnel();
  pod_->pool.stop_counting(*upstream_);
  http::ResponseRewrite rewrite;
  rewrite.request_id = record_.request_id;
  rewrite.websocket_protocol = websocket::selected_for_token(head, client_.head());
  context_.scratch.clear();
  http::append_client_response(head, rewrite, context_.scratch);
  client_.stream().write(context_.scratch);
  RelayOwner& owner = *this;
  framing_ = kernel::framing_of(head.find("sec-websocket-protocol"));
  start_activity(head);
  relay_ = std::make_unique<Relay>(owner, client_.stream(), upstream_->stream(), record_,
                                   endpoint_->counters, context_.metrics,
                                   context_.settings.websocket, activity_.get());
  allow_gaps(head);
  client_.offer_leftover();
  watch_session();
}

void Exchange::start_activity(const http::ResponseHead& head) {
  const bool kernels = request_.operation == Operation::kConnectKernel;
  if (!kernels || !context_.settings.websocket.kernel_activity) return;
  const bool readable = head.find("sec-websocket-extensions").empty();
  const uint32_t slot = context_.launches.specs().slot_of(record_.kernel_id);
  activity_ = std::make_unique<KernelActivity>(framing_, readable, endpoint_->counters,
                                               context_.metrics.cells[slot]);
}

bool Exchange::is_idle_relay() const noexcept { return activity_ != nullptr && activity_->idle(); }

std::optional<KernelSight> Exchange::kernel_sight() const {
  if (activity_ == nullptr) return std::nullopt;
  return KernelSight{record_.kernel_id,          endpoint_->endpoint->id,
                     activity_->state(),         activity_->cells_in_flight(),
                     activity_->last_human_us(), activity_->last_message_us()};
}

void Exchange::relay_answer_head(const http::ResponseHead& head) {
  holds_launch_ = launch_ != nullptr && head.status == 201;
  phase_ = holds_launch_ ? Phase::kHolding : Phase::kResponding;
  record_.status = head.status;
  const http::RequestHead& asked = client_.head();
  if (holds_launch_) learn_kernel(head);
  // A body that is still on its way belongs to no later request: answer, then close (RFC 9112
  // section 9.6).
  close_after_ = !client_.may_reuse() || !body_.done();
  http::ResponseRewrite rewrite;
  rewrite.request_id = record_.request_id;
  rewrite.now_seconds = event::wall_us() / 1'000'000;
  rewrite.location_prefix = endpoint_->endpoint->location_prefix();
  rewrite.body_allowed = asked.method != Method::kHead && head.status != 204 && head.status != 304;
  rewrite.framing = head.framing;
  rewrite.content_length = head.content_length;
  rewrite.client_http_1_0 = asked.version_minor == 0;
  rewrite.page = page_fields();
  if (head.framing == Framing::kChunked || head.framing == Framing::kUntilClose) {
    chunk_answer_ = asked.version_minor == 1;
    rewrite.framing = chunk_answer_ ? Framing::kChunked : Framing::kUntilClose;
    close_after_ = close_after_ || !chunk_answer_;
  }
  rewrite.close = close_after_;
  client_.set_deadline_ms(context_.settings.timeouts.response_idle_ms);
  if (holds_launch_) return http::append_client_response(head, rewrite, held_head_);
  context_.scratch.clear();
  http::append_client_response(head, rewrite, context_.scratch);
  client_.stream().write(context_.scratch);
}

void Exchange::on_response_body(std::string_view payload) {
  if (phase_ == Phase::kHolding) {
    if (holds_launch_) return hold_launch_body(payload);
    return holds_list_ ? hold_list_body(payload) : hold_error_body(payload);
  }
  KG_ASSERT(phase_ == Phase::kResponding);
  record_.bytes_out += payload.size();
  event::Stream& stream = client_.stream();
  if (chunk_answer_) {
    context_.scratch.clear();
    http::append_chunk_size(payload.size(), context_.scratch);
    context_.scratch.append(payload).append(http::kChunkEnd);
    stream.write(context_.scratch);
  } else {
    stream.write(payload);
  }
  if (stream.unsent() > limits::kPendingBytesHigh) {
    upstream_->stream().pause(Pause::kPeerSlow);
    pod_->pool.stop_counting(*upstream_);  // a slow reader takes no place from others
    client_.set_deadline_ms(context_.settings.timeouts.write_stall_ms);
  } else {
    client_.set_deadline_ms(context_.settings.timeouts.response_idle_ms);
  }
}

void Exchange::on_response_end() {
  if (phase_ == Phase::kHolding && holds_launch_) return send_launch();
  if (phase_ == Phase::kHolding) return holds_list_ ? send_list() : send_error(true);
  if (phase_ != Phase::kResponding) return;  // a 101 without its tunnel failed already
  if (chunk_answer_) client_.stream().write(http::kLastChunk);
  const bool whole = body_.done();
  release_upstream(whole);
  finish(!close_after_ && whole);
}

void Exchange::on_tunnel_data(std::string_view bytes) { relay_->on_upstream_data(bytes); }
void Exchange::on_tunnel_end() {
  if (!relay_->said_goodbye()) pod_->pool.broke_off();
  relay_->on_upstream_end();
}

void Exchange::on_upstream_drained() {
  if (relay_ != nullptr) return relay_->on_upstream_drained();
  client_.stream().resume(Pause::kPeerSlow);
  if (phase_ == Phase::kWaiting && !body_.done()) await_body();
}

bool Exchange::may_be_sent_twice() const noexcept {
  const http::RequestHead& head = client_.head();
  const bool idempotent =
      head.method == Method::kGet || head.method == Method::kHead || head.method == Method::kDelete;
  return idempotent && head.framing == Framing::kNone;
}

// RFC 9110 section 9.2.2: a proxy never repeats what is not idempotent, and a repetition not again;
// RFC 9112 section 9.3.1: only where the connection was closed under the request.
bool Exchange::may_retry(const Error& error) const noexcept {
  return phase_ == Phase::kWaiting && !retried_ && record_.upstream_reused && may_be_sent_twice() &&
         error.row().retry == Retry::kIfUnsent;
}

void Exchange::on_upstream_error(const Error& error) {
  if (relay_ != nullptr) {
    relay_->on_upstream_lost();
    return;
  }
  if (launch_ != nullptr) return launch_failed(error);
  const bool again = may_retry(error);
  release_upstream(false);
  if (!again) return fail(error);
  if (!endpoint_->retries.take(context_.loop.now_us())) {
    endpoint_->counters.retries_refused.add();
    return fail(error);
  }
  retried_ = true;
  endpoint_->counters.retries.add();
  lease(upstream::LeaseKind::kFresh);
}

void Exchange::set_relay_deadline(uint64_t milliseconds) { client_.set_deadline_ms(milliseconds); }
void Exchange::relay_client_died() { client_.break_off(); }

void Exchange::relay_ended() {
  if (relay_->scan_lost()) context_.metrics.websocket_scan_lost.add();
  release_upstream(false);
  finish(false);
}

void Exchange::fail(const Error& error) {
  if (phase_ == Phase::kDone) return;
  record_.error = error;
  if (pod_ != nullptr) pod_->failed(error.code, context_.loop.now_us());
  release_upstream(false);
  if (launch_ != nullptr) share_failure(error);
  if (phase_ == Phase::kResponding) {
    // The answer began: only a broken connection tells the client that it is not whole.
    client_.break_off();
    return finish(false);
  }
  const uint16_t status = error.row().status;
  // A client that asked for a tunnel may have sent its bytes already.
  const bool reuse = status != 0 && client_.may_reuse() && body_.done() &&
                     client_.head().method != Method::kConnect;
  if (status != 0) {
    record_.status = status;
    if (record_.first_byte_us == 0) record_.first_byte_us = event::monotonic_us();
    context_.scratch.clear();
    std::string allow;
    if (status == 405) allow = kernel::allowed_methods(upstream_path_);
    const bool head_only = client_.head().method == Method::kHead;
    const LocalReply reply{record_.request_id, !reuse,         head_only,    allow,
                           retry_after_s_,     record_.detail, page_fields()};
    const std::string gateways = gateways_words(error.code);
    if (gateways.empty()) {
      append_error_reply(error, reply, context_.scratch);
    } else {
      append_gateway_reply(status, gateways, reply, context_.scratch);
    }
    client_.stream().write(context_.scratch);
  }
  finish(reuse);
}

void Exchange::abort() {
  if (phase_ == Phase::kDone) return;
  record_.error = {ErrorCode::kDraining, "the drain deadline passed", 0};
  if (launch_goes_on()) {
    endpoint_->counters.orphans_left.add();
    log_unfollowed(*pod_, record_.kernel_id, "the proxy ends");
  }
  release_upstream(false);
  finish(false);
}

void Exchange::release_upstream(bool healthy) {
  if (phase_ == Phase::kPlacing) stop_placing();
  if (phase_ == Phase::kReviving) pod_->revivals.cancel(*this);
  stop_reconnecting();
  if (phase_ == Phase::kQueued) pod_->pool.cancel(*this);
  if (phase_ == Phase::kLookingUp) pod_->lists.cancel(*this);
  gathering_.reset();
  upstream::UpstreamConnection* connection = std::exchange(upstream_, nullptr);
  if (connection != nullptr) pod_->pool.release(*connection, healthy);
}

// Lists from before do not count any more.
void Exchange::note_change() const {
  const bool creates = request_.operation == Operation::kCreateKernel;
  const bool deletes = request_.operation == Operation::kDeleteKernel;
  if ((!creates && !deletes) || record_.sent_us == 0) return;
  routing::KernelChanges& changes = *endpoint_->endpoint->kernel_changes;
  const bool was_made = record_.made_kernel();
  const bool is_gone = deletes && (record_.status == 204 || record_.status == 404);
  if (was_made || is_gone) changes.note_kernel(record_.kernel_id, was_made, context_.loop.now_us());
  changes.note();
}

void Exchange::finish(bool reuse) {
  KG_ASSERT(phase_ != Phase::kDone && upstream_ == nullptr);
  if (phase_ == Phase::kAuthenticating || rechecked_by_ != nullptr) {
    context_.sessions.cancel(*this);
  }
  phase_ = Phase::kDone;
  seat_.reset();
  launch_.reset();
  note_change();
  // Now: the client's next request may begin before this object dies.
  client_hold_ = {};
  principal_hold_ = {};
  record_.finish(context_, endpoint_.get(), client_.head(), client_.facts());
  client_.exchange_finished(reuse);
}

}  // namespace kg::exchange
