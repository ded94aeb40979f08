#include "proxy/exchange/exchange.h"

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/identity_fields.h"
#include "proxy/exchange/kernel_activity.h"
#include "proxy/http/forwarding.h"

namespace kg::exchange {

using event::Pause;
using http::Framing;
using kernel::Operation;

Exchange::Exchange(WorkerContext& context, ClientConnection& client)
    : context_(context), client_(client) {}

Exchange::~Exchange() { KG_ASSERT(upstream_ == nullptr); }

size_t Exchange::on_client_data(std::string_view bytes) {
  if (phase_ == Phase::kRelaying) {
    relay_->on_client_data(bytes);
    return bytes.size();
  }
  size_t used = 0;
  while (used < bytes.size() && !body_.done() && phase_ != Phase::kDone) {
    const Result<http::BodyReader::Piece> piece = body_.next(bytes.substr(used));
    if (!piece) {
      fail(piece.error());
      return bytes.size();
    }
    used += piece->consumed;
    record_.bytes_in += piece->payload.size();
    if (!piece->payload.empty()) take_body(piece->payload);
    if (phase_ != Phase::kDone && body_.done()) end_body();
  }
  // Closing after this answer: what else comes is not a request any more.
  return phase_ == Phase::kDone && !body_.done() ? bytes.size() : used;
}

void Exchange::take_body(std::string_view payload) {
  if (ignores_body()) return;
  if (phase_ == Phase::kCollecting || upstream_ == nullptr) {
    held_body_.append(payload);
    const size_t most =
        notebook_ == nullptr ? limits::kCreateBodyBytesMax : limits::kNotebookBodyBytesMax;
    if (phase_ == Phase::kCollecting && held_body_.size() > most) {
      return fail({ErrorCode::kBodyTooLarge, "", 0});
    }
    if (phase_ == Phase::kCollecting) grant_body_time(payload.size());
    if (phase_ == Phase::kQueued || phase_ == Phase::kAuthenticating || phase_ == Phase::kPlacing) {
      client_.stream().pause(Pause::kConnecting);
    }
    return;
  }
  send_body(payload);
  if (phase_ == Phase::kWaiting) grant_body_time(payload.size());
}

void Exchange::send_body(std::string_view payload) {
  KG_ASSERT(!ignores_body());  // the head that went up announced none
  event::Stream& stream = upstream_->stream();
  if (client_.head().framing == Framing::kChunked) {
    context_.scratch.clear();
    http::append_chunk_size(payload.size(), context_.scratch);
    stream.write(context_.scratch);
    stream.write(payload);
    stream.write(http::kChunkEnd);
  } else {
    stream.write(payload);
  }
  if (stream.unsent() > limits::kPendingBytesHigh) client_.stream().pause(Pause::kPeerSlow);
}

void Exchange::end_body() {
  if (phase_ == Phase::kCollecting) {
    if (notebook_ != nullptr && !read_notebook()) return;
    const Result<void> read = read_launch();
    if (!read) return fail(read.error());
    return count_kernels();
  }
  if (upstream_ == nullptr) return;
  if (client_.head().framing == Framing::kChunked && !ignores_body()) {
    upstream_->stream().write(http::kLastChunk);
  }
  pod_->pool.count_again(*upstream_);
  if (phase_ == Phase::kWaiting) watch_answer();
}

void Exchange::lease(upstream::LeaseKind kind) {
  const Result<upstream::UpstreamConnection*> leased = pod_->pool.lease(*this, kind);
  if (!leased) return launch_ != nullptr ? launch_failed(leased.error()) : fail(leased.error());
  if (*leased != nullptr) return send_request(**leased);
  phase_ = Phase::kQueued;
  client_.set_deadline_ms(pod_->pod.limits.queue_ms);
}

void Exchange::on_lease(upstream::UpstreamConnection& connection) {
  client_.stream().resume(Pause::kConnecting);
  send_request(connection);
}

void Exchange::on_lease_failed(const Error& error) {
  if (launch_ != nullptr) return launch_failed(error);
  fail(error);
}

void Exchange::send_request(upstream::UpstreamConnection& connection) {
  phase_ = Phase::kWaiting;
  upstream_ = &connection;
  connection.begin(*this, sent_method());
  if (record_.sent_us == 0) {
    record_.sent_us = event::monotonic_us();
    endpoint_->retries.count_request(context_.loop.now_us());
  }
  record_.upstream_reused = connection.reused();
  context_.scratch.clear();
  append_request_head({}, context_.scratch);
  if (collects_) context_.scratch.append(held_body_);
  connection.stream().write(context_.scratch);
  if (!collects_ && !ignores_body()) {
    if (!held_body_.empty()) send_body(std::exchange(held_body_, {}));
    if (body_.done() && !revived_ && client_.head().framing == Framing::kChunked) {
      connection.stream().write(http::kLastChunk);
    }
  }
  if (body_.done()) return watch_answer();
  await_body();
  // Who waits for its client takes no place from others: the gateway has nothing to do yet.
  pod_->pool.stop_counting(connection);
}

void Exchange::append_request_head(std::string_view key, std::string& out) {
  const http::RequestHead& head = client_.head();
  const routing::Endpoint& endpoint = *endpoint_->endpoint;
  std::string target;
  if (!endpoint.strip_prefix) target = endpoint.path_prefix;
  kernel::append_target(request_, head.query, target);
  const std::string pod_host = head.authority.empty() ? pod_->pod.address.text() : std::string();
  http::RequestRewrite rewrite;
  rewrite.target = target;
  rewrite.host = head.authority.empty() ? std::string_view(pod_host) : head.authority;
  const Secret callers = forwards() ? callers_token() : Secret();
  rewrite.gateway_token = forwards() ? callers.reveal() : endpoint.gateway_token.reveal();
  rewrite.request_id = record_.request_id;
  rewrite.trace_id = record_.trace_id;
  rewrite.peer_address = client_.peer_host();
  rewrite.scheme = "https";
  rewrite.port = client_.listener().port;
  rewrite.peer_trusted = client_.peer_trusted();
  if (notebook_ != nullptr) rewrite.method = sent_method_name();
  const bool has_body = notebook_ == nullptr && !revived_;
  rewrite.framing = collects_ ? Framing::kLength : has_body ? head.framing : Framing::kNone;
  rewrite.content_length = collects_ ? held_body_.size() : head.content_length;
  // A gateway would read a form body's `token` before the header's (domain J6): kernel operations
  // go up as JSON only.
  rewrite.json_body = request_.operation != Operation::kOther && rewrite.framing != Framing::kNone;
  // An error has to be readable here; what gateways say is small, but for files of a kernel spec.
  rewrite.plain_answer = request_.operation != Operation::kOther &&
                         request_.operation != Operation::kGetKernelSpecResource;
  // What is said of a whole list that is reduced here, or of the kernel of a session, "not
  // modified" say, is not for clients.
  rewrite.whole_answer = reduces_list() || notebook_ != nullptr;
  rewrite.websocket = wants_websocket_;
  rewrite.websocket_key = key;
  rewrite.websocket_protocols = key.empty() ? offered_protocols_ : chosen_protocol_;
  const std::vector<http::IdentityField> identity =
      identity_fields(endpoint.identity_headers, *record_.principal);
  rewrite.identity = identity;
  http::append_upstream_request(head, rewrite, out);
}

void Exchange::on_client_drained() {
  if (relay_ != nullptr) return relay_->on_client_drained();
  if (holds_list_ && phase_ == Phase::kResponding) return send_list_rest();
  if (upstream_ == nullptr) return;
  upstream_->stream().resume(Pause::kPeerSlow);
  if (phase_ == Phase::kResponding) {
    client_.set_deadline_ms(context_.settings.timeouts.response_idle_ms);
  }
}

void Exchange::on_client_end(bool clean) {
  if (relay_ != nullptr) return relay_->on_client_end();
  on_client_lost({ErrorCode::kClientGone,
                  clean ? "closed while waiting for the answer" : "cut off without close_notify",
                  0});
}

void Exchange::on_client_lost(const Error& error) {
  if (phase_ == Phase::kDone) return;
  if (relay_ != nullptr) return relay_->on_client_lost();
  record_.error = error;
  if (launch_goes_on()) follow_launch();
  release_upstream(false);
  finish(false);
}

}  // namespace kg::exchange
