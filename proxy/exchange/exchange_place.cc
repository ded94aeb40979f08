// Which pod a request goes to.
#include "proxy/base/assert.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"

namespace kg::exchange {

using event::Pause;
using kernel::Operation;
using routing::Placement;

void Exchange::place() {
  if (!request_.kernel_id.empty()) return place_kernel();
  go_to(*endpoint_->any(context_.loop.now_us()));
}

// To the kernel's holder or nowhere (routing/placement.h).
void Exchange::place_kernel() {
  if (!endpoint_->has_places()) return go_to(*endpoint_->pods.front());
  const std::optional<uint32_t> tag = pod_tag();
  const Placement placement = endpoint_->place_by(request_.kernel_id, tag, endpoint_->view_pods());
  // Its own answer tells whether it is there, and makes a gateway load it.
  const bool loads_itself = request_.operation == Operation::kGetKernel;
  switch (placement.step) {
    case Placement::Step::kGo:
      return go_to(*endpoint_->pods[placement.pod]);
    case Placement::Step::kNowhere:
    case Placement::Step::kUnsure:
      return fail(upstream::placement_error(placement));
    case Placement::Step::kRevive:
      if (loads_itself) return go_to(*endpoint_->pods[placement.pod]);
      break;
    case Placement::Step::kAskLists:
      break;
  }
  phase_ = Phase::kPlacing;
  upstream::PlacingOwner& owner = *this;
  placing_ = std::make_unique<upstream::Placing>(
      context_.loop, *endpoint_.get(),
      upstream::WantedKernel{std::string(request_.kernel_id), tag, loads_itself}, owner);
  const auto placed = placing_->begin();
  if (placed) return on_placed(*placed);
  client_.clear_deadline();  // placing has its own
}

// Of the pod that an id names, if it was minted here.
std::optional<uint32_t> Exchange::pod_tag() {
  if (!client_.kernel_access().is_minted(request_.kernel_id)) return std::nullopt;
  const auto id = kernel::parse_kernel_id(request_.kernel_id);
  if (!id) return std::nullopt;
  return id->pod_tag;
}

void Exchange::on_placed(const Result<upstream::LocalPod*>& pod) {
  KG_ASSERT(phase_ == Phase::kPlacing);
  stop_placing();
  phase_ = Phase::kReceived;
  client_.stream().resume(Pause::kConnecting);
  if (!pod) return fail(pod.error());
  go_to(**pod);
}

void Exchange::stop_placing() {
  placing_->stop();
  context_.loop.defer_delete(std::move(placing_));
}

void Exchange::go_to(upstream::LocalPod& pod) {
  pod_ = &pod;
  pod_restarts_ = pod.pod.facts->restarts();
  record_.pod = pod.pod.name;
  go_up();
}

// What the pod's answer says of where the kernel is.
void Exchange::learn_place(uint16_t status) {
  if (request_.kernel_id.empty() || !endpoint_->has_places()) return;
  const bool deleted = request_.operation == Operation::kDeleteKernel && status < 300;
  if (deleted || status == 404) return endpoint_->kernels.forget(request_.kernel_id);
  if (status < 300) endpoint_->saw(request_.kernel_id, pod_tag(), *pod_, pod_restarts_);
}

}  // namespace kg::exchange
