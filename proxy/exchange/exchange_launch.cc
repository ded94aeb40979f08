// A kernel start on its way through an Exchange: its turn, its pod, its answer, and what becomes of
// it without one.
#include <algorithm>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"
#include "proxy/kernel/kernel_list.h"

namespace kg::exchange {

using metrics::Limit;
using Kind = LaunchGate::Word::Kind;

// The same for whatever repeats the client's own id: as long as one of them is under way, the
// others wait for it (domain J14). It looks like a kernel id of no pod.
std::string Exchange::launch_key(const kernel::LaunchBody& body) const {
  if (body.wanted_id().empty() || forwards()) return {};
  const auth::Principal& who = *record_.principal;
  const kernel::Scope user{kernel::Scope::Kind::kUser, who.realm, who.subject};
  const std::string& endpoint = endpoint_->endpoint->id;
  const kernel::KernelIdKeys& keys = *context_.kernel_id_keys;
  return keys.mint(endpoint, user, 0, keys.nonce_of(endpoint, user, body.wanted_id()));
}

void Exchange::await_turn() {
  phase_ = Phase::kAwaitingTurn;
  launch_->asked_us = event::monotonic_us();
  LaunchWaiter& waiter = *this;
  const routing::Endpoint& endpoint = *endpoint_->endpoint;
  launch_->ticket = context_.desk.ask(
      context_.index, waiter, endpoint,
      context_.admission.quotas.key_of(endpoint.id, *record_.principal), launch_key(launch_->body));
  // Its client gives up then (domain G14).
  client_.set_deadline_ms(launch_ms_);
}

void Exchange::on_launch_word(Kind kind, const LaunchAnswerRef& answer) {
  KG_ASSERT(phase_ == Phase::kAwaitingTurn);
  record_.launch_wait_us = event::monotonic_us() - launch_->asked_us;
  switch (kind) {
    case Kind::kTurn:
    case Kind::kNewTurn:
      context_.metrics.launch_wait.observe_us(record_.launch_wait_us);
      launch_->new_id = kind == Kind::kNewTurn;
      return begin_launch();
    case Kind::kFull:
      context_.metrics.hit(Limit::kLaunchQueueMax);
      endpoint_->counters.launches_refused.add();
      return fail({ErrorCode::kLaunchQueue, "the queue is full", 0});
    case Kind::kAnswered:
      endpoint_->counters.launches_shared.add();
      return answer->error.code != ErrorCode::kNone ? fail(answer->error) : give_launched(*answer);
    case Kind::kKept:
    case Kind::kUnwanted:
      return;  // for those whose client has left
  }
}

// On a pod that is chosen now, and on another one if that cannot be reached.
void Exchange::begin_launch() {
  const std::string key = launch_->new_id ? std::string() : launch_key(launch_->body);
  std::optional<uint64_t> repeated;
  if (!key.empty()) repeated = kernel::parse_kernel_id(key)->nonce;
  pod_ = endpoint_->choose(launch_->tried, repeated);
  if (pod_ == nullptr) return fail({ErrorCode::kNoPod, endpoint_->why_no_choice(), 0});
  pod_restarts_ = pod_->pod.facts->restarts();
  record_.pod = pod_->pod.name;
  launch_->at = PodLaunch(pod_->pod.facts);
  stamp_launch();
  if (repeated) return look_up();
  lease(upstream::LeaseKind::kChecked);
}

// What goes up is written anew (domain R3).
void Exchange::stamp_launch() {
  const kernel::LaunchBody& body = launch_->body;
  const auth::Principal& who = *record_.principal;
  // Where credentials are forwarded the gateway knows from the token whose kernel it is, and gives
  // it an id of its own.
  if (!forwards()) {
    const routing::Endpoint& endpoint = *endpoint_->endpoint;
    const kernel::KernelIdKeys& keys = *context_.kernel_id_keys;
    const kernel::Scope user{kernel::Scope::Kind::kUser, who.realm, who.subject};
    const bool own_id = !body.wanted_id().empty() && !launch_->new_id;
    const uint32_t nonce =
        own_id ? keys.nonce_of(endpoint.id, user, body.wanted_id()) : kernel::random_nonce();
    const auto scope = creation_scope(who, endpoint.kernels);
    record_.kernel_id = keys.mint(endpoint.id, *scope, pod_->pod.tag, nonce);
    launch_->answer->kernel_id = record_.kernel_id;
  }
  held_body_ = body.stamped(who.subject, record_.kernel_id);
}

// A gateway fails when it is given the id of a kernel that it has (domain J14). Whoever repeats a
// start wants that kernel.
void Exchange::look_up() {
  phase_ = Phase::kLookingUp;
  client_.clear_deadline();  // the list has one
  const Result<upstream::PodListRef> list = pod_->lists.get(*this);
  if (!list || *list != nullptr) on_kernel_list(list);
}

void Exchange::on_kernel_list(const Result<upstream::PodListRef>& list) {
  phase_ = Phase::kCollecting;
  const kernel::ListedKernel* found = list ? (*list)->kernels.find(record_.kernel_id) : nullptr;
  // A gateway that does not tell is asked to start it (domain J8).
  if (found == nullptr) return lease(upstream::LeaseKind::kChecked);
  endpoint_->counters.launches_shared.add();
  LaunchAnswer& answer = *launch_->answer;
  answer.status = 201;
  std::string array = "[";
  kernel::append_listed(*found, array);
  answer.body = array.substr(1);
  launch_->ticket.answered(launch_->answer);
  give_launched(answer);
}

// The answer that another request got, in a head of our own.
void Exchange::give_launched(const LaunchAnswer& answer) {
  const bool reuse = client_.may_reuse() && body_.done();
  record_.status = answer.status;
  record_.kernel_id = answer.kernel_id;
  record_.first_byte_us = event::monotonic_us();
  record_.bytes_out = answer.body.size();
  std::string location;
  if (answer.status == 201) {
    location = endpoint_->endpoint->location_prefix() + "/api/kernels/" + answer.kernel_id;
  }
  LocalReply reply{record_.request_id, !reuse};
  reply.page = page_fields();
  context_.scratch.clear();
  append_launch_reply(answer.status, location, answer.body, reply, context_.scratch);
  client_.stream().write(context_.scratch);
  finish(reuse);
}

// A 201 goes on when all of it is here: a client that was cut off in the middle of one would not
// know its kernel, which then has to go.
void Exchange::hold_launch_body(std::string_view payload) {
  std::string& body = launch_->answer->body;
  if (body.size() + payload.size() <= limits::kLaunchAnswerBytesMax) {
    body.append(payload);
    return;
  }
  launch_failed({ErrorCode::kUpstreamProtocol, "the answer to a kernel start is too long", 0});
}

void Exchange::send_launch() {
  const LaunchAnswer& answer = *launch_->answer;
  if (notebook_ != nullptr) return answer_notebook(answer.body);
  record_.bytes_out = answer.body.size();
  context_.scratch.assign(held_head_);
  if (chunk_answer_ && !answer.body.empty()) {
    http::append_chunk_size(answer.body.size(), context_.scratch);
    context_.scratch.append(answer.body).append(http::kChunkEnd);
  } else {
    context_.scratch.append(answer.body);
  }
  if (chunk_answer_) context_.scratch.append(http::kLastChunk);
  client_.stream().write(context_.scratch);
  launch_->ticket.answered(launch_->answer);
  release_upstream(true);
  finish(!close_after_);
}

// A gateway's error, for those who asked for the same kernel.
void Exchange::share_error(uint16_t status, std::string_view body) {
  LaunchAnswer& answer = *launch_->answer;
  answer.status = status;
  answer.body = body;
  launch_->ticket.answered(launch_->answer);
}

// What concerns only this client leaves the start to those who joined it.
void Exchange::share_failure(const Error& error) {
  if (phase_ == Phase::kAwaitingTurn || error.row().side == Side::kClient) {
    return launch_->ticket.leave();
  }
  launch_->answer->error = error;
  launch_->ticket.answered(launch_->answer);
}

// A start is never sent twice, but what was not sent at all may go to another pod (domain 8.1),
// under an id that names that one.
void Exchange::launch_failed(const Error& error) {
  const bool sent = upstream_ != nullptr && upstream_->connect_us() != 0;
  if (sent) return lose_launch(error);
  if (error.row().retry != Retry::kIfUnsent) return fail(error);
  release_upstream(false);
  const auto failed = std::find_if(endpoint_->pods.begin(), endpoint_->pods.end(),
                                   [this](const auto& local) { return local.get() == pod_; });
  launch_->tried |= uint64_t{1} << (failed - endpoint_->pods.begin());
  if (endpoint_->choose(launch_->tried) == nullptr) return fail(error);
  pod_->failed(error.code, context_.loop.now_us());
  endpoint_->counters.retries.add();
  begin_launch();
}

// It was sent, and no answer will come; the kernel may come up all the same.
void Exchange::lose_launch(const Error& error) {
  release_upstream(false);
  const bool broke_off =
      error.code == ErrorCode::kUpstreamReset || error.code == ErrorCode::kUpstreamGone;
  const Error told = broke_off ? Error{ErrorCode::kLaunchLost, error.detail, 0} : error;
  if (broke_off) pod_->failed(error.code, context_.loop.now_us());
  auto shared = std::make_shared<LaunchAnswer>();
  shared->error = told;
  context_.followers.look_for(std::move(launch_), context_.endpoints.pin(endpoint_->endpoint),
                              *pod_, shared, launch_until_us());
  fail(told);
}

// The gateway is at work on it and knows nothing of its client.
bool Exchange::launch_goes_on() const noexcept {
  const bool sent = phase_ == Phase::kWaiting || (phase_ == Phase::kHolding && holds_launch_);
  return launch_ != nullptr && upstream_ != nullptr && sent && !upstream_->connecting();
}

void Exchange::follow_launch() {
  upstream::UpstreamConnection& connection = *std::exchange(upstream_, nullptr);
  launch_->principal = std::move(principal_hold_);
  if (forwards()) launch_->token = callers_token();
  context_.followers.follow(std::move(launch_), context_.endpoints.pin(endpoint_->endpoint), *pod_,
                            connection, launch_until_us());
}

uint64_t Exchange::launch_until_us() const noexcept {
  return record_.sent_us + uint64_t{answer_deadline_ms()} * 1'000;
}

}  // namespace kg::exchange
