// How long an Exchange waits for what, and what comes of it.
#include <algorithm>

#include "proxy/base/limits.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"

namespace kg::exchange {

using kernel::Operation;
using metrics::Limit;

void Exchange::await_body() {
  body_seen_us_ = context_.loop.now_us();
  const uint32_t idle_ms = context_.settings.timeouts.request_body_idle_ms;
  body_until_us_ = body_seen_us_ + uint64_t{idle_ms} * 1'000;
  client_.set_deadline_ms(idle_ms);
}

// A body may pause for request_body_idle. Each of its bytes earns 1 / body_min_rate seconds, up to
// that again: a body that trickles more slowly ends although it never pauses for long.
void Exchange::grant_body_time(size_t bytes) {
  const uint32_t rate = context_.settings.limits.body_min_rate;
  const uint64_t earned_until_us = body_until_us_ + bytes * 1'000'000 / std::max(rate, 1U);
  await_body();
  if (rate == 0 || earned_until_us >= body_until_us_) return;
  body_until_us_ = std::max(earned_until_us, body_seen_us_);
  client_.set_deadline_ms((body_until_us_ - body_seen_us_ + 999) / 1'000);
}

void Exchange::body_timed_out() {
  const uint64_t silent_us = context_.loop.now_us() - body_seen_us_;
  const bool stopped =
      silent_us >= uint64_t{context_.settings.timeouts.request_body_idle_ms} * 1'000;
  context_.metrics.hit(stopped ? Limit::kRequestBodyIdle : Limit::kBodyMinRate);
  fail({ErrorCode::kRequestTimeout, stopped ? "the body stopped" : "the body came too slowly", 0});
}

void Exchange::watch_answer() { client_.set_deadline_ms(answer_deadline_ms()); }

// Deadline of the first byte by operation (domain R6).
uint32_t Exchange::answer_deadline_ms() const noexcept {
  const FirstByteMs& first_byte = context_.settings.timeouts.first_byte_ms;
  switch (request_.operation) {
    case Operation::kCreateKernel:
      return launch_ms_ + first_byte.launch_margin;
    case Operation::kRestartKernel:
      if (first_byte.restart != 0) return first_byte.restart;
      return endpoint_->endpoint->launch_timeout_ms + first_byte.launch_margin;
    case Operation::kDeleteKernel:
      return first_byte.del;
    case Operation::kConnectKernel:
      return first_byte.upgrade;
    case Operation::kOther:
      return first_byte.other;
    default:
      return first_byte.list;
  }
}

void Exchange::on_deadline() {
  switch (phase_) {
    case Phase::kReceived:
    case Phase::kPlacing:
    case Phase::kLookingUp:
    case Phase::kReviving:
    case Phase::kDone:
      return;
    case Phase::kAwaitingTurn:
      context_.metrics.hit(Limit::kKernelLaunchTimeout);
      endpoint_->counters.launches_refused.add();
      return fail({ErrorCode::kLaunchQueue, "no turn in time", 0});
    case Phase::kCounting:
    case Phase::kListing:
      return lists_are_slow();
    case Phase::kAuthenticating:
      return fail({ErrorCode::kSessionUnknown, "no answer in time", 0});
    case Phase::kCollecting:
      return body_timed_out();
    case Phase::kQueued:
      return fail({ErrorCode::kUpstreamBusy, "no connection became free in time", 0});
    case Phase::kWaiting:
      if (!body_.done() && upstream_->stream().unsent() == 0) return body_timed_out();
      if (!body_.done()) return fail({ErrorCode::kUpstreamStalled, "", 0});
      context_.metrics.hit(Limit::kFirstByte);
      if (launch_ != nullptr) return launch_failed({ErrorCode::kUpstreamTimeout, "", 0});
      return fail({ErrorCode::kUpstreamTimeout, "", 0});
    case Phase::kHolding:
      context_.metrics.hit(Limit::kResponseIdle);
      if (holds_launch_) return launch_failed({ErrorCode::kUpstreamStalled, "", 0});
      return fail({ErrorCode::kUpstreamStalled, "", 0});
    case Phase::kResponding:
      if (client_.stream().unsent() > 0) {
        context_.metrics.hit(Limit::kWriteStall);
        return fail({ErrorCode::kClientStalled, "", 0});
      }
      context_.metrics.hit(Limit::kResponseIdle);
      return fail({ErrorCode::kUpstreamStalled, "", 0});
    case Phase::kRelaying:
      return relay_->on_deadline();
  }
}

}  // namespace kg::exchange
