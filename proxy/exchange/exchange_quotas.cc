// What one principal may take of an endpoint (quotas.h), asked on a request's way up.
#include <fmt/format.h>

#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"

namespace kg::exchange {

using metrics::Limit;

Result<void> Exchange::keep_rate() {
  const routing::Endpoint& endpoint = *endpoint_->endpoint;
  if (endpoint.quotas.requests_per_second == 0) return {};
  Quotas& quotas = context_.admission.quotas;
  const uint32_t wait_s = quotas.request(quotas.key_of(endpoint.id, *record_.principal),
                                         endpoint.quotas, context_.loop.now_us());
  if (wait_s == 0) return {};
  context_.metrics.hit(Limit::kRequestsPerSecond);
  retry_after_s_ = wait_s;
  return Error{ErrorCode::kQuota, "requests per second", 0};
}

// Kept until the end of the WebSocket, or until the gateway has answered the start.
Result<void> Exchange::take_place() {
  const bool starts = collects_ && request_.operation == kernel::Operation::kCreateKernel;
  if (!wants_websocket_ && !starts) return {};
  const routing::Endpoint& endpoint = *endpoint_->endpoint;
  Quotas& quotas = context_.admission.quotas;
  const Quotas::Key key = quotas.key_of(endpoint.id, *record_.principal);
  auto hold = wants_websocket_ ? quotas.websocket(key, endpoint.quotas)
                               : quotas.launch(key, endpoint.quotas);
  if (hold) {
    principal_hold_ = std::move(*hold);
    return {};
  }
  context_.metrics.hit(wants_websocket_ ? Limit::kWebSockets : Limit::kLaunches);
  return Error{ErrorCode::kQuota, wants_websocket_ ? "open WebSockets" : "kernel starts at a time",
               0};
}

// The endpoint's list of specs is exact; without a name the gateway would choose one itself.
Result<void> Exchange::judge_spec() {
  if (endpoint_->endpoint->sessions->policy().shows_spec(launch_spec_)) return {};
  record_.detail = launch_spec_.empty()
                       ? "The start names no kernel spec, and not all are allowed on this endpoint."
                       : "Kernel spec '" + launch_spec_ + "' is not allowed on this endpoint.";
  return Error{ErrorCode::kSpecForbidden, "", 0};
}

void Exchange::count_kernels() {
  if (endpoint_->endpoint->quotas.kernels == 0) return await_turn();
  gather_lists(Phase::kCounting);
}

// In the words of a gateway that counts for itself (domain J13).
void Exchange::judge_count() {
  const uint64_t kernels = principal_hold_.ahead() + count_own();
  const uint32_t most = endpoint_->endpoint->quotas.kernels;
  if (kernels < most) return await_turn();
  context_.metrics.hit(Limit::kKernels);
  record_.detail = fmt::format(
      "A max kernels per user limit has been set to {} and user '{}' currently has {} active and "
      "pending kernels.",
      most, record_.principal->subject, kernels);
  fail({ErrorCode::kTooManyKernels, "", 0});
}

}  // namespace kg::exchange
