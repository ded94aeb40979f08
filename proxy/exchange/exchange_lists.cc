// A list of kernels: those of all pods, reduced to what the caller may see.
#include <algorithm>

#include "proxy/base/limits.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/local_reply.h"

namespace kg::exchange {

using kernel::Operation;

// The list of a gateway that judges its callers itself passes as it is.
bool Exchange::gathers_lists() const noexcept {
  return request_.operation == Operation::kListKernels && !forwards();
}

void Exchange::gather_lists(Phase phase) {
  phase_ = phase;
  ListGatheringOwner& owner = *this;
  gathering_ = std::make_unique<ListGathering>(context_.loop, *endpoint_.get(),
                                               context_.kernel_id_keys, owner);
  gathering_until_us_ =
      context_.loop.now_us() + uint64_t{context_.settings.timeouts.first_byte_ms.list} * 1'000;
  const auto whole = gathering_->begin();
  if (whole) return on_lists_gathered(*whole);
  wait_for_lists();
}

void Exchange::wait_for_lists() {
  const uint64_t now_us = context_.loop.now_us();
  const uint64_t left_ms =
      gathering_until_us_ > now_us ? (gathering_until_us_ - now_us + 999) / 1'000 : 0;
  client_.set_deadline_ms(std::min<uint64_t>(left_ms, limits::kListPatienceMs));
}

void Exchange::lists_are_slow() {
  auto whole = gathering_->look();
  if (!whole && context_.loop.now_us() < gathering_until_us_) return wait_for_lists();
  if (!whole) {
    context_.metrics.hit(metrics::Limit::kFirstByte);
    whole = gathering_->give_up();
  }
  on_lists_gathered(*whole);
}

void Exchange::on_lists_gathered(const Result<void>& whole) {
  client_.clear_deadline();
  if (!whole) {
    if (gathering_->culprit() != nullptr) record_.pod = gathering_->culprit()->pod.name;
    return fail(whole.error());
  }
  if (gathering_->is_stale()) endpoint_->counters.kernel_lists_stale.add();
  if (phase_ == Phase::kListing) return answer_list();
  phase_ = Phase::kCollecting;
  judge_count();
}

// Of each list what `wanted` leaves, and of that what stands in the right list.
template <typename Wanted>
kernel::ListedKernels Exchange::merged_lists(const Wanted& wanted) {
  std::vector<kernel::ListedKernels> lists;
  for (const GatheredList& part : gathering_->lists()) lists.push_back(wanted(*part.list));
  return kernel::merge_kernel_lists(lists, [this](size_t list, const kernel::ListedKernel& kernel) {
    return gathering_->claim(list, kernel);
  });
}

void Exchange::answer_list() {
  KernelAccess& access = client_.kernel_access();
  access.is_for(context_.kernel_id_keys, *endpoint_->endpoint, record_.principal);
  const kernel::ListedKernels kernels = merged_lists([&](const upstream::PodList& list) {
    if (support_) return list.kernels.all();
    return context_.list_verdicts.usable(list, access);
  });
  record_.support =
      support_ && std::any_of(kernels.begin(), kernels.end(), [&](const auto* kernel) {
        return access.may_use(kernel->id) != KernelAccess::Answer::kAllowed;
      });
  held_answer_.clear();
  held_answer_.push_back('[');
  for (const kernel::ListedKernel* kernel : kernels) {
    if (held_answer_.size() > limits::kListBytesMax) break;  // and none is sent
    if (notebook_ != nullptr) {
      append_sessions_of(*kernel, held_answer_);
    } else {
      kernel::append_listed(*kernel, held_answer_);
    }
  }
  held_answer_.push_back(']');
  gathering_.reset();
  if (kernels.size() > limits::kListEntriesMax || held_answer_.size() > limits::kListBytesMax) {
    return fail({ErrorCode::kUpstreamProtocol, "the list is too long", 0});
  }
  send_gathered();
}

// How many of an endpoint's kernels are the caller's, in its pods' own lists.
uint64_t Exchange::count_own() {
  KernelAccess& access = client_.kernel_access();
  access.is_for(context_.kernel_id_keys, *endpoint_->endpoint, record_.principal);
  const kernel::ListedKernels own = merged_lists(
      [&](const upstream::PodList& list) { return context_.list_verdicts.owned(list, access); });
  gathering_.reset();
  return own.size();
}

void Exchange::send_gathered() {
  const bool head_only = client_.head().method == http::Method::kHead;
  phase_ = Phase::kResponding;
  holds_list_ = true;
  close_after_ = !client_.may_reuse() || !body_.done();
  record_.status = 200;
  record_.first_byte_us = event::monotonic_us();
  LocalReply reply{record_.request_id, close_after_};
  reply.page = page_fields();
  context_.scratch.clear();
  append_list_head(held_answer_.size(), reply, context_.scratch);
  client_.stream().write(context_.scratch);
  if (head_only) held_answer_.clear();
  record_.bytes_out = held_answer_.size();
  send_list_rest();
}

}  // namespace kg::exchange
