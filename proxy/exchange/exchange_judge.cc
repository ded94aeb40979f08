// From a request's head to the decision that it may go to the gateway.
#include <algorithm>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/local_reply.h"
#include "proxy/exchange/origin.h"
#include "proxy/http/forwarding.h"
#include "proxy/websocket/handshake.h"

namespace kg::exchange {

using event::Pause;
using http::Framing;
using http::Method;
using kernel::Operation;
using metrics::Limit;

namespace {

// What may stand behind "Authorization: token " (RFC 9110 section 5.5), and decodes to nothing
// else: a token in a query may hold any byte.
bool is_field_token(std::string_view token) noexcept {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

void Exchange::start() {
  record_.start();
  record_.request_id = context_.next_request_id();
  const http::RequestHead& head = client_.head();
  body_ = http::BodyReader(head.framing, head.content_length, ErrorCode::kBadRequest);
  if (answer_health()) return;
  record_.trace_id = http::trace_id_for(head, record_.wall_us / 1'000'000);
  const Result<void> admitted = admit();
  if (!admitted) return fail(admitted.error());
  const Result<void> routed = route();
  if (!routed) return fail(routed.error());
  if (is_preflight(head)) return answer_preflight();
  recognise();
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
  const bool ok =
      live || (!context_.draining && !context_.awaits_feed && context_.routes != nullptr);
  const bool reuse = client_.may_reuse() && body_.done();
  record_.status = ok ? 200 : 503;
  record_.first_byte_us = event::monotonic_us();
  context_.scratch.clear();
  append_health_reply(ok,
                      ok                  ? "ready"
                      : context_.draining ? "draining"
                                          : "no endpoints yet",
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

// Where it goes and what it asks for. That a path is no operation is not said yet: only a client
// with a session learns it.
Result<void> Exchange::route() {
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
  const event::AddressRanges& sources = endpoint_->endpoint->allow_sources;
  if (!sources.empty() && !client_.comes_from(sources)) {
    return Error{ErrorCode::kForeignSource, "", 0};
  }
  Result<kernel::KernelRequest> parsed = kernel::parse_operation(head.method, match.path);
  if (parsed && !endpoint_->endpoint->notebook_sessions) {
    parsed = kernel::without_notebooks(*parsed, match.path);
  }
  if (!parsed) {
    operation_error_ = parsed.error();
    return parsed.error().code == ErrorCode::kBadRequest ? parsed.error() : Result<void>();
  }
  request_ = *parsed;
  record_.operation = record_.effect = request_.operation;
  record_.kernel_id = request_.kernel_id;
  record_.spec_name = request_.spec_name;
  return {};
}

Result<Credentials> Exchange::credentials(const routing::Endpoint& endpoint) const {
  const Sender sender{endpoint.session_cookie, client_.peer_trusted(), client_.certificate()};
  return Credentials::of(client_.head(), sender);
}

void Exchange::recognise() {
  const Result<Credentials> shown = credentials(*endpoint_->endpoint);
  if (!shown) return fail(shown.error());
  token_place_ = shown->place_of(auth::Proof::kToken);
  if (forwards() && !is_field_token(shown->evidence().token)) {
    return fail({ErrorCode::kUnauthorized, "no token that could go up", 0});
  }
  const auto who = context_.sessions.recognise(
      endpoint_->endpoint->sessions, shown->evidence(), client_.caller(),
      static_cast<int64_t>(record_.wall_us / 1'000'000), *this);
  if (who) return on_session(*who);
  phase_ = Phase::kAuthenticating;
  client_.set_deadline_ms(limits::kSessionAskMs);
}

// For an endpoint whose gateway judges its callers itself.
Secret Exchange::callers_token() const {
  const Result<Credentials> shown = credentials(*endpoint_->endpoint);
  KG_ASSERT(shown.has_value());  // recognise() saw the same head
  return Secret(std::string(shown->evidence().token));
}

void Exchange::on_session(Result<auth::PrincipalRef> who) {
  if (phase_ == Phase::kRelaying) return on_recheck(std::move(who));
  if (phase_ == Phase::kAuthenticating) {
    phase_ = Phase::kReceived;
    client_.clear_deadline();
    client_.stream().resume(Pause::kConnecting);
  }
  if (!who) return fail(who.error());
  record_.principal = *std::move(who);
  const Result<void> authorised = authorise();
  if (!authorised) return fail(authorised.error());
  tell_of_session();
  proceed();
}

Result<void> Exchange::authorise() {
  const auth::Policy& policy = endpoint_->endpoint->sessions->policy();
  const Result<void> allowed =
      policy.allow(*record_.principal, static_cast<int64_t>(record_.wall_us / 1'000'000));
  if (!allowed) return allowed;
  const auth::Place place{endpoint_->endpoint->virtual_cluster, endpoint_->endpoint->id};
  if (context_.watch.revoked(record_.principal, place, record_.wall_us)) {
    return Error{ErrorCode::kSessionRevoked, "", 0};
  }
  const Result<void> page = judge_page();
  if (!page) return page;
  const Result<void> paced = keep_rate();
  if (!paced) return paced;
  begin_notebook();
  if (operation_error_.code != ErrorCode::kNone) return operation_error_;
  for (const Operation operation : {record_.operation, request_.operation}) {
    const Result<void> permitted = permit(operation);
    if (!permitted) return permitted;
  }
  if (!request_.spec_name.empty() && !policy.shows_spec(request_.spec_name)) {
    return Error{ErrorCode::kNoSpec, "not in kernels.specs", 0};
  }
  if (!request_.kernel_id.empty() && !forwards()) {
    const Result<void> kernel = judge_kernel();
    if (!kernel) return kernel;
  }
  if (endpoint_->pods.empty()) return Error{ErrorCode::kNoPod, "the endpoint has none", 0};
  // Without it a gateway shows the specs of everybody (domain J10a).
  request_.user = record_.principal->subject;
  const Result<void> judged = judge_operation();
  if (!judged) return judged;
  return take_place();
}

Result<void> Exchange::permit(Operation operation) {
  const auth::Policy& policy = endpoint_->endpoint->sessions->policy();
  const Result<auth::Grant> grant = policy.permit(*record_.principal, operation);
  if (!grant) return grant.error();
  support_ = grant->support && notebook_ == nullptr;
  return {};
}

// A page of somebody else's may not act in the name of a user whose browser adds the credential.
Result<void> Exchange::judge_page() const {
  const http::RequestHead& head = client_.head();
  const bool ambient = record_.principal->proof != auth::Proof::kToken || is_ambient(token_place_);
  if (!ambient || !acts(head) ||
      page_origin(head, endpoint_->endpoint->allowed_origins) != PageOrigin::kForeign) {
    return {};
  }
  return Error{ErrorCode::kForeignOrigin, "", 0};
}

// Which page may read the answer.
http::PageFields Exchange::page_fields() const {
  if (!endpoint_ || endpoint_->endpoint->allowed_origins.empty()) return {};
  const http::RequestHead& head = client_.head();
  const bool listed =
      page_origin(head, endpoint_->endpoint->allowed_origins) == PageOrigin::kListed;
  return {listed ? head.find("origin") : std::string_view(), true};
}

// Before authentication, because a browser asks without a credential; nothing is said of the
// gateway but what the kernel API is.
void Exchange::answer_preflight() {
  const http::RequestHead& head = client_.head();
  const PageOrigin page = page_origin(head, endpoint_->endpoint->allowed_origins);
  if (page == PageOrigin::kForeign) return fail({ErrorCode::kForeignOrigin, "preflight", 0});
  std::string methods = kernel::allowed_methods(upstream_path_);
  if (request_.operation == Operation::kOther && endpoint_->endpoint->forward_other_paths &&
      operation_error_.code == ErrorCode::kNone) {
    methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
  }
  if (methods.empty()) return fail({ErrorCode::kNoOperation, "", 0});
  const bool reuse = client_.may_reuse() && body_.done();
  record_.status = 204;
  record_.first_byte_us = event::monotonic_us();
  LocalReply reply{record_.request_id, !reuse};
  reply.page = {head.find("origin"), true};
  context_.scratch.clear();
  append_preflight_reply(methods, reply, context_.scratch);
  client_.stream().write(context_.scratch);
  finish(reuse);
}

void Exchange::proceed() {
  if (request_.operation == Operation::kGetVersion) return answer_version();
  if (gathers_lists()) return gather_lists(Phase::kListing);
  if (context_.admission.short_of_memory.load(std::memory_order_relaxed) && would_hold_memory()) {
    context_.metrics.hit(Limit::kMemoryBytes);
    return fail({ErrorCode::kOverloaded, "", 0});
  }
  if (collects_) return go_up();  // a start chooses its pod when its turn has come
  place();
}

// Its pod is known.
void Exchange::go_up() {
  const http::RequestHead& head = client_.head();
  if (head.expect_continue && !body_.done()) client_.stream().write(kContinue);
  if (collects_) {
    phase_ = Phase::kCollecting;
    await_body();
    if (body_.done()) end_body();
    return;
  }
  lease(may_be_sent_twice() ? upstream::LeaseKind::kAny : upstream::LeaseKind::kChecked);
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
      name_session();
      offered_protocols_ = websocket::offered_protocols(head);
      return {};
    }
    case Operation::kCreateKernel:
      if (head.framing == Framing::kLength && head.content_length > limits::kCreateBodyBytesMax) {
        return Error{ErrorCode::kBodyTooLarge, "", 0};
      }
      collects_ = true;
      return {};
    case Operation::kCreateSession:
    case Operation::kPatchSession:
      if (head.framing == Framing::kLength && head.content_length > limits::kNotebookBodyBytesMax) {
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

}  // namespace kg::exchange
