// Whose kernels an Exchange deals with: starts are stamped, ids judged, lists reduced.
#include <fmt/format.h>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"
#include "proxy/http/forwarding.h"
#include "proxy/kernel/launch_body.h"
#include "proxy/kernel/spec_list.h"

namespace kg::exchange {

using kernel::Operation;

// Somebody else's kernel and one that is not there are answered alike, and without asking the
// gateway: nothing tells whether it exists (domain R4).
Result<void> Exchange::judge_kernel() {
  KernelAccess& access = client_.kernel_access();
  access.is_for(context_.kernel_id_keys, *endpoint_->endpoint, record_.principal);
  const KernelAccess::Answer answer = access.may_use(request_.kernel_id);
  if (support_ && answer != KernelAccess::Answer::kAllowed &&
      request_.operation != Operation::kConnectKernel &&
      request_.operation != Operation::kRestartKernel) {
    record_.support = true;
    return {};
  }
  switch (answer) {
    case KernelAccess::Answer::kAllowed:
      return {};
    case KernelAccess::Answer::kForeign:
      endpoint_->counters.kernel_ids_foreign.add();
      return Error{ErrorCode::kNoKernel, "not minted here", 0};
    case KernelAccess::Answer::kOthers:
      break;
  }
  return Error{ErrorCode::kNoKernel, "somebody else's", 0};
}

// The body in hand is taken apart; what goes up is written when its turn has come (domain R3).
Result<void> Exchange::read_launch() {
  const routing::Endpoint& endpoint = *endpoint_->endpoint;
  const auth::Principal& who = *record_.principal;
  kernel::LaunchFault fault;
  auto body = kernel::LaunchBody::read(held_body_, endpoint.launch_rules, fault);
  if (!body) {
    record_.detail = std::move(fault.what);
    return Error{fault.code, "", 0};
  }
  record_.dropped_env = body->dropped_names();
  record_.spec_name = launch_spec_ = body->spec();
  endpoint_->counters.launch_env_dropped.add(body->dropped());
  const Result<void> shown = judge_spec();
  if (!shown) return shown;
  if (!creation_scope(who, endpoint.kernels)) {
    record_.detail = "only members of group " + endpoint.kernels.group + " may start kernels here";
    return Error{ErrorCode::kLaunchDenied, "", 0};
  }
  if (!kernel::is_kernel_username(who.subject)) {
    record_.detail = "the subject cannot be a KERNEL_USERNAME: 1 to 128 letters, digits and ._@+-";
    return Error{ErrorCode::kLaunchDenied, "", 0};
  }
  launch_ms_ = body->launch_timeout_ms(endpoint.launch_timeout_ms);
  held_body_ = std::string();
  launch_ = std::make_unique<Launch>(*std::move(body));
  return {};
}

// Should the gateway have chosen another id than ours, its word is the truth, and the kernel
// nobody's.
void Exchange::learn_kernel(const http::ResponseHead& head) {
  pod_->pod.facts->note_kernel();
  launch_->answer->status = head.status;
  const std::string_view id = launched_id(head);
  if (id.empty()) return;
  const bool ours = id == record_.kernel_id;
  if (!forwards()) {
    endpoint_->saw(id, ours ? std::optional(pod_->pod.tag) : std::nullopt, *pod_, pod_restarts_);
  }
  if (!forwards() && !ours) {
    endpoint_->counters.kernel_id_mismatches.add();
    log::warn("kernels", "the gateway chose an id of its own minted={} returned={} endpoint={}",
              record_.kernel_id, id, endpoint_->endpoint->id);
  }
  launch_->answer->kernel_id = record_.kernel_id = id;
  context_.launches.launched(id, record_.started_us);
  context_.launches.specs().started(id, launch_spec_);
}

// To those kernel specs that the endpoint shows.
bool Exchange::reduces_list() const noexcept {
  return request_.operation == Operation::kListKernelSpecs &&
         !endpoint_->endpoint->sessions->policy().specs.empty();
}

// Where a client expects a gateway's own words (domain J13, R4). "": ours.
std::string Exchange::gateways_words(ErrorCode code) const {
  switch (code) {
    case ErrorCode::kNoKernel:
      if (!request_.notebook_id.empty()) {
        return std::string("Session not found: ").append(request_.notebook_id);
      }
      return std::string("Kernel does not exist: ").append(request_.kernel_id);
    case ErrorCode::kNoSpec:
      return fmt::format("Kernel spec {} not found", request_.spec_name);
    case ErrorCode::kSpecForbidden:
    case ErrorCode::kTooManyKernels:
      return record_.detail;
    default:
      return {};
  }
}

// A list is held whole: only then is it known which of its entries the client may see.
void Exchange::hold_list(const http::ResponseHead& head) {
  if (head.status != 200) return fail({ErrorCode::kUpstreamProtocol, "no 200 where one is due", 0});
  holds_list_ = true;
  hold_answer(head);
}

void Exchange::hold_list_body(std::string_view payload) {
  if (held_answer_.size() + payload.size() > limits::kSpecListBytesMax) {
    return fail({ErrorCode::kUpstreamProtocol, "the list is too long", 0});
  }
  held_answer_.append(payload);
}

// The whole list is in hand. Its old length told of specs that are not shown; a HEAD gets none
// (RFC 9110 section 9.3.2).
void Exchange::send_list() {
  if (notebook_ != nullptr) return answer_notebook(held_answer_);
  const bool head_only = client_.head().method == http::Method::kHead;
  context_.scratch.assign(held_head_);
  if (head_only) {
    context_.scratch.append("\r\n");
    held_answer_.clear();
  } else {
    const auth::Policy& policy = endpoint_->endpoint->sessions->policy();
    std::optional<std::string> list;
    if (!coded_answer_) {
      list = kernel::filter_spec_list(
          held_answer_, [&](std::string_view name) { return policy.shows_spec(name); });
    }
    if (!list) return fail({ErrorCode::kUpstreamProtocol, "a list that cannot be judged", 0});
    held_answer_ = *std::move(list);
    record_.bytes_out = held_answer_.size();
    context_.scratch.append("Content-Length: ").append(std::to_string(held_answer_.size()));
    context_.scratch.append("\r\n\r\n");
  }
  phase_ = Phase::kResponding;
  record_.status = 200;
  client_.stream().write(context_.scratch);
  release_upstream(body_.done());
  send_list_rest();
}

// As much as the client takes now; on_client_drained() comes back for more.
void Exchange::send_list_rest() {
  event::Stream& stream = client_.stream();
  while (list_sent_ < held_answer_.size()) {
    if (stream.unsent() > limits::kPendingBytesHigh) {
      return client_.set_deadline_ms(context_.settings.timeouts.write_stall_ms);
    }
    const std::string_view piece =
        std::string_view(held_answer_).substr(list_sent_, limits::kPendingBytesHigh);
    list_sent_ += piece.size();
    stream.write(piece);
  }
  finish(!close_after_ && body_.done());
}

}  // namespace kg::exchange
