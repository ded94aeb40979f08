// A gateway's error on its way to the client: held whole, reduced to its reason and message.
#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/local_reply.h"
#include "proxy/http/forwarding.h"
#include "proxy/kernel/gateway_error.h"

namespace kg::exchange {

// An answer that is held whole: an error, or a list.
void Exchange::hold_answer(const http::ResponseHead& head) {
  phase_ = Phase::kHolding;
  record_.status = head.status;
  close_after_ = !client_.may_reuse() || !body_.done();
  coded_answer_ = http::is_coded(head);
  http::ResponseRewrite rewrite;
  rewrite.request_id = record_.request_id;
  rewrite.now_seconds = event::wall_us() / 1'000'000;
  rewrite.close = close_after_;
  rewrite.client_http_1_0 = client_.head().version_minor == 0;
  rewrite.page = page_fields();
  http::append_client_error(head, rewrite, held_head_);
  client_.set_deadline_ms(context_.settings.timeouts.response_idle_ms);
}

void Exchange::hold_error_body(std::string_view payload) {
  if (held_answer_.size() + payload.size() > limits::kErrorBodyBytesMax) return send_error(false);
  held_answer_.append(payload);
}

// `whole`: the body in hand is all of it. Otherwise the rest is not waited for.
void Exchange::send_error(bool whole) {
  KG_ASSERT(phase_ == Phase::kHolding);
  if (was_not_done(whole)) return revive(whole);
  const bool head_only = client_.head().method == http::Method::kHead;
  context_.scratch.assign(held_head_);
  if (!head_only) {
    std::string_view reason = reason_phrase(record_.status);
    if (reason.empty()) reason = "Error";
    std::optional<kernel::ReducedError> reduced;
    if (whole && !coded_answer_) reduced = kernel::reduce_error(held_answer_, reason);
    if (!reduced) {
      context_.metrics.gateway_errors_replaced.add();
    } else if (!reduced->whole) {
      context_.metrics.gateway_errors_reduced.add();
    }
    const std::string body =
        reduced ? std::move(reduced->json) : replaced_error(reason, record_.request_id);
    record_.bytes_out = body.size();
    if (launch_ != nullptr) share_error(record_.status, body);
    context_.scratch.append("Content-Length: ").append(std::to_string(body.size()));
    context_.scratch.append("\r\n\r\n").append(body);
  } else {
    context_.scratch.append("\r\n");
  }
  client_.stream().write(context_.scratch);
  // What an early answer leaves of the request belongs to no other exchange.
  const bool asked = body_.done();
  release_upstream(whole && asked);
  finish(!close_after_ && asked);
}

}  // namespace kg::exchange
