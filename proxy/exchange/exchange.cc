#include "proxy/exchange/exchange.h"

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/local_reply.h"
#include "proxy/exchange/session_check.h"
#include "proxy/http/forwarding.h"
#include "proxy/websocket/handshake.h"

namespace kg::exchange {

using event::Pause;
using http::Framing;
using http::Method;
using kernel::Operation;
using metrics::Limit;

Exchange::Exchange(WorkerContext& context, ClientConnection& client)
    : context_(context), client_(client) {}

Exchange::~Exchange() { KG_ASSERT(upstream_ == nullptr); }

void Exchange::start() {
  record_.start();
  record_.request_id = context_.next_request_id();
  const http::RequestHead& head = client_.head();
  body_ = http::BodyReader(head.framing, head.content_length, ErrorCode::kBadRequest);
  if (answer_health()) return;
  record_.trace_id = http::trace_id_for(head, record_.wall_us / 1'000'000);
  const Result<void> admitted = admit();
  if (!admitted) return fail(admitted.error());
  const Result<void> judged = judge();
  if (!judged) return fail(judged.error());
  if (context_.admission.short_of_memory.load(std::memory_order_relaxed) && would_hold_memory()) {
    context_.metrics.hit(Limit::kMemoryBytes);
    return fail({ErrorCode::kOverloaded, "", 0});
  }
  if (head.expect_continue && !body_.done()) client_.stream().write(kContinue);
  if (collects_) {
    phase_ = Phase::kCollecting;
    await_body();
    if (body_.done()) end_body();
    return;
  }
  lease(may_be_sent_twice() ? upstream::LeaseKind::kAny : upstream::LeaseKind::kChecked);
}

// Health checkers name any host and hold no token (domain A11): path alone decides, before all
// else.
bool Exchange::answer_health() {
  const http::RequestHead& head = client_.head();
  const bool live = head.path == "/healthz";
  if ((!live && head.path != "/readyz") ||
      (head.method != Method::kGet && head.method != Method::kHead)) {
    return false;
  }
  const bool ok = live || (!context_.draining && context_.routes != nullptr);
  const bool reuse = client_.may_reuse() && body_.done();
  record_.status = ok ? 200 : 503;
  record_.first_byte_us = event::monotonic_us();
  context_.scratch.clear();
  append_health_reply(ok, ok ? "ready" : "draining",
                      {record_.request_id, !reuse, head.method == Method::kHead}, context_.scratch);
  client_.stream().write(context_.scratch);
  finish(reuse);
  return true;
}

// A trusted proxy's connections carry many clients: each may have so many exchanges at a time, open
// WebSockets among them. Before anything is judged: a flood of bad tokens costs signatures.
Result<void> Exchange::admit() {
  if (!client_.peer_trusted()) return {};
  const auto address =
      event::SocketAddress::parse(std::string(http::forwarded_client(client_.head())), 0);
  if (!address) return {};  // an ALB always names one; the request is the proxy's own
  auto hold = context_.admission.requests.take(address->bytes16(),
                                               context_.settings.limits.requests_per_client);
  if (hold) {
    client_hold_ = std::move(*hold);
    return {};
  }
  context_.metrics.hit(Limit::kRequestsPerClient);
  return Error{ErrorCode::kTooManyRequests, "", 0};
}

Result<void> Exchange::judge() {
  const http::RequestHead& head = client_.head();
  if (head.method == Method::kConnect || head.method == Method::kTrace || head.path.empty() ||
      head.path.front() != '/') {
    return Error{ErrorCode::kMethodNotAllowed, "", 0};
  }
  if (client_.is_misdirected()) return Error{ErrorCode::kMisdirected, "", 0};
  const routing::Match match = context_.routes->match(head.authority, head.path);
  if (match.endpoint == nullptr) return Error{ErrorCode::kNoRoute, "", 0};
  endpoint_ = context_.endpoints.pin(*match.endpoint);
  upstream_path_ = match.path;
  const Result<kernel::KernelRequest> parsed = kernel::parse_operation(head.method, match.path);
  if (!parsed && parsed.error().code == ErrorCode::kBadRequest) return parsed.error();
  if (parsed) {
    request_ = *parsed;
    record_.operation = request_.operation;
    record_.kernel_id = request_.kernel_id;
    record_.spec_name = request_.spec_name;
  }
  const uint64_t hits = context_.sessions.hits();
  const auto session = check_session(head, *endpoint_->endpoint, context_.sessions,
                                     static_cast<int64_t>(record_.wall_us / 1'000'000));
  (context_.sessions.hits() > hits ? context_.metrics.session_cache_hits
                                   : context_.metrics.session_cache_misses)
      .add();
  if (!session) return session.error();
  record_.principal = *session;
  if (!parsed) return parsed.error();
  return judge_operation();
}

Result<void> Exchange::judge_operation() {
  const http::RequestHead& head = client_.head();
  switch (request_.operation) {
    case Operation::kOther:
      if (!endpoint_->endpoint->forward_other_paths) return Error{ErrorCode::kNoOperation, "", 0};
      // Kernel operations go up as JSON whatever they were.
      if (http::has_form_body(head)) return Error{ErrorCode::kUnsupportedMedia, "", 0};
      // As its final recipient (RFC 9110 section 7.6.2).
      if (head.method == Method::kOptions && head.find("max-forwards") == "0") {
        return Error{ErrorCode::kMethodNotAllowed, "OPTIONS with Max-Forwards: 0", 0};
      }
      return {};
    case Operation::kConnectKernel: {
      if (!head.upgrade_websocket) return Error{ErrorCode::kUpgradeRequired, "", 0};
      const Result<void> handshake = websocket::check_request(head);
      if (!handshake) return handshake;
      wants_websocket_ = true;
      offered_protocols_ = websocket::offered_protocols(head);
      return {};
    }
    case Operation::kCreateKernel:
      if (head.framing == Framing::kLength && head.content_length > limits::kCreateBodyBytesMax) {
        return Error{ErrorCode::kBodyTooLarge, "", 0};
      }
      collects_ = true;
      return {};
    default:
      return {};
  }
}

// Lists, interrupts and deletes pass even then: some of them free memory.
bool Exchange::would_hold_memory() const noexcept {
  return collects_ || wants_websocket_ ||
         (request_.operation == Operation::kOther && !body_.done());
}

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
  if (phase_ == Phase::kCollecting || upstream_ == nullptr) {
    held_body_.append(payload);
    if (phase_ == Phase::kCollecting && held_body_.size() > limits::kCreateBodyBytesMax) {
      return fail({ErrorCode::kBodyTooLarge, "", 0});
    }
    if (phase_ == Phase::kCollecting) grant_body_time(payload.size());
    if (phase_ == Phase::kQueued) client_.stream().pause(Pause::kConnecting);
    return;
  }
  send_body(payload);
  if (phase_ == Phase::kWaiting) grant_body_time(payload.size());
}

void Exchange::send_body(std::string_view payload) {
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
    const Result<uint32_t> launch =
        kernel::launch_timeout_ms(held_body_, endpoint_->endpoint->launch_timeout_ms);
    if (!launch) return fail(launch.error());
    launch_ms_ = *launch;
    return lease(upstream::LeaseKind::kChecked);
  }
  if (upstream_ == nullptr) return;
  if (client_.head().framing == Framing::kChunked) upstream_->stream().write(http::kLastChunk);
  endpoint_->pool.count_again(*upstream_);
  if (phase_ == Phase::kWaiting) watch_answer();
}

void Exchange::lease(upstream::LeaseKind kind) {
  const Result<upstream::UpstreamConnection*> leased = endpoint_->pool.lease(*this, kind);
  if (!leased) return fail(leased.error());
  if (*leased != nullptr) return send_request(**leased);
  phase_ = Phase::kQueued;
  client_.set_deadline_ms(limits::kListMs);
}

void Exchange::on_lease(upstream::UpstreamConnection& connection) {
  client_.stream().resume(Pause::kConnecting);
  send_request(connection);
}

void Exchange::on_lease_failed(const Error& error) { fail(error); }

void Exchange::send_request(upstream::UpstreamConnection& connection) {
  phase_ = Phase::kWaiting;
  upstream_ = &connection;
  connection.begin(*this, client_.head().method);
  if (record_.sent_us == 0) {
    record_.sent_us = event::monotonic_us();
    endpoint_->retries.count_request(context_.loop.now_us());
  }
  record_.upstream_reused = connection.reused();
  append_request_head();
  if (collects_) {
    context_.scratch.append(held_body_);
    connection.stream().write(context_.scratch);
  } else {
    connection.stream().write(context_.scratch);
    if (!held_body_.empty()) send_body(std::exchange(held_body_, {}));
    if (body_.done() && client_.head().framing == Framing::kChunked) {
      connection.stream().write(http::kLastChunk);
    }
  }
  if (body_.done()) return watch_answer();
  await_body();
  // Who waits for its client takes no place from others: the gateway has nothing to do yet.
  endpoint_->pool.stop_counting(connection);
}

void Exchange::append_request_head() {
  const http::RequestHead& head = client_.head();
  const routing::Endpoint& endpoint = *endpoint_->endpoint;
  std::string target;
  if (!endpoint.strip_prefix) target = endpoint.path_prefix;
  kernel::append_target(request_, head.query, target);
  const std::string pod_host = head.authority.empty() ? endpoint.pod.address.text() : std::string();
  http::RequestRewrite rewrite;
  rewrite.target = target;
  rewrite.host = head.authority.empty() ? std::string_view(pod_host) : head.authority;
  rewrite.gateway_token = endpoint.gateway_token.reveal();
  rewrite.request_id = record_.request_id;
  rewrite.trace_id = record_.trace_id;
  rewrite.peer_address = client_.peer_host();
  rewrite.scheme = "https";
  rewrite.port = client_.listener().port;
  rewrite.peer_trusted = client_.peer_trusted();
  rewrite.framing = collects_ ? Framing::kLength : head.framing;
  rewrite.content_length = collects_ ? held_body_.size() : head.content_length;
  // A gateway would read a form body's `token` before the header's (domain J6): kernel operations
  // go up as JSON only.
  rewrite.json_body = request_.operation != Operation::kOther && rewrite.framing != Framing::kNone;
  // An error has to be readable here; what gateways say is small, but for files of a kernel spec.
  rewrite.plain_answer = request_.operation != Operation::kOther &&
                         request_.operation != Operation::kGetKernelSpecResource;
  rewrite.websocket = wants_websocket_;
  rewrite.websocket_protocols = offered_protocols_;
  context_.scratch.clear();
  http::append_upstream_request(head, rewrite, context_.scratch);
}

void Exchange::on_client_drained() {
  if (relay_ != nullptr) return relay_->on_client_drained();
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
  release_upstream(false);
  finish(false);
}

}  // namespace kg::exchange
