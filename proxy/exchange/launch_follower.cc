#include "proxy/exchange/launch_follower.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/kernel/gateway_error.h"
#include "proxy/kernel/kernel_list.h"
#include "proxy/kernel/operation.h"
#include "proxy/upstream/own_request.h"

namespace kg::exchange {

using Kind = LaunchGate::Word::Kind;

void log_unfollowed(const upstream::LocalPod& pod, const std::string& kernel_id, const char* why) {
  log::warn("kernels", "a start is not followed to its end kernel={} endpoint={} pod={} why=\"{}\"",
            kernel_id, pod.endpoint.id, pod.pod.name, why);
}

std::string_view launched_id(const http::ResponseHead& head) noexcept {
  const std::string_view location = head.find("location");
  const std::string_view id = location.substr(location.rfind('/') + 1);
  return kernel::is_kernel_id(id) ? id : std::string_view();
}

LaunchFollower::LaunchFollower(event::EventLoop& loop, LaunchFollowers& owner,
                               std::unique_ptr<Launch> launch, upstream::EndpointPin endpoint,
                               upstream::LocalPod& pod)
    : loop_(loop),
      owner_(owner),
      launch_(std::move(launch)),
      endpoint_(std::move(endpoint)),
      pod_(pod),
      deadline_(loop, [this] { on_deadline(); }) {
  pod_.counters.launches_followed.add();
}

LaunchFollower::~LaunchFollower() { KG_ASSERT(connection_ == nullptr && !listing_ && !leasing_); }

void LaunchFollower::follow(upstream::UpstreamConnection& connection, uint64_t until_us) {
  state_ = State::kAnswering;
  if (launch_->ticket.held()) {
    LaunchWaiter& waiter = *this;
    launch_->ticket.belong_to(waiter);
  }
  connection_ = &connection;
  upstream::UpstreamHandler& handler = *this;
  connection.hand_over(handler);
  until_us_ = until_us;
  const uint64_t now_us = loop_.now_us();
  deadline_.set_ms(until_us > now_us ? (until_us - now_us) / 1'000 + 1 : 1);
}

void LaunchFollower::on_response_head(const http::ResponseHead& head) {
  status_ = head.status;
  if (state_ == State::kDeleting) return;
  pod_.answered(head.status, loop_.now_us());
  LaunchAnswer& answer = *launch_->answer;
  answer.status = head.status;
  if (head.status != 201) return;
  const std::string_view id = launched_id(head);
  if (!id.empty()) answer.kernel_id = id;
}

void LaunchFollower::on_response_body(std::string_view payload) {
  if (state_ == State::kDeleting) return;
  std::string& body = launch_->answer->body;
  if (body.size() + payload.size() <= limits::kLaunchAnswerBytesMax) body.append(payload);
}

void LaunchFollower::on_response_end() {
  give_back(true);
  if (state_ == State::kAnswering) return judge_answer();
  if ((status_ >= 200 && status_ < 300) || status_ == 404) {
    endpoint_->kernels.forget(launch_->answer->kernel_id);
    note_change(false);
    pod_.counters.orphans_deleted.add();
    log::info("kernels", "deleted a kernel that no client waits for kernel={} endpoint={} pod={}",
              launch_->answer->kernel_id, pod_.endpoint.id, pod_.pod.name);
    return end();
  }
  if (status_ >= 500) return delete_later();
  leave_alone("the gateway refuses to delete it");
}

// The gateway has said all of it.
void LaunchFollower::judge_answer() {
  LaunchAnswer& answer = *launch_->answer;
  if (answer.status == 201) {
    note_change(true);
    state_ = State::kJudging;
    deadline_.clear();
    return launch_->ticket.unclaimed(launch_->answer);
  }
  // It concerns the endpoint's token, not the session of whoever joined.
  if (answer.status == 401 && !pod_.endpoint.forwards_credentials) {
    answer.error = {ErrorCode::kUpstreamToken, "", 0};
  }
  const auto reduced = kernel::reduce_error(answer.body, reason_phrase(answer.status));
  answer.body = reduced ? reduced->json : "{}";
  launch_->ticket.answered(launch_->answer);
  end();
}

// Lists from before do not count any more.
void LaunchFollower::note_change(bool made) {
  routing::KernelChanges& changes = *endpoint_->endpoint->kernel_changes;
  changes.note_kernel(launch_->answer->kernel_id, made, loop_.now_us());
  changes.note();
}

void LaunchFollower::on_launch_word(Kind kind, const LaunchAnswerRef&) {
  if (kind == Kind::kKept) return end();
  if (kind == Kind::kUnwanted) begin_deleting();
}

void LaunchFollower::on_upstream_error(const Error& error) {
  pod_.failed(error.code, loop_.now_us());
  give_back(false);
  if (state_ == State::kAnswering) return lose();
  delete_later();
}

void LaunchFollower::on_deadline() {
  switch (state_) {
    case State::kAnswering:
      give_back(false);
      return lose();
    case State::kJudging:
      return;
    case State::kLooking:
      return look();
    case State::kDeleting:
      if (connection_ == nullptr && !leasing_) return try_delete();
      give_back(false);
      return delete_later();
  }
}

// No answer will come any more, but the kernel may.
void LaunchFollower::lose() {
  LaunchAnswer told = *launch_->answer;
  told.error = {ErrorCode::kLaunchLost, "", 0};
  look_for(std::make_shared<const LaunchAnswer>(std::move(told)), until_us_);
}

void LaunchFollower::look_for(const LaunchAnswerRef& told, uint64_t until_us) {
  state_ = State::kLooking;
  pod_.counters.launches_lost.add();
  until_us_ = std::max(until_us, loop_.now_us() + uint64_t{limits::kLaunchLookMs} * 1'000);
  launch_->ticket.lost(told, until_us_);
  launch_->principal = {};
  launch_->at = {};
  if (launch_->answer->kernel_id.empty()) return leave_alone("its id is not known");
  pause_ms_ = limits::kLaunchLookFirstMs;
  deadline_.set_ms(pause_ms_);
}

void LaunchFollower::look() {
  upstream::KernelListWaiter& waiter = *this;
  const Result<upstream::PodListRef> list = pod_.lists.get(waiter);
  listing_ = list && *list == nullptr;
  if (!listing_) on_kernel_list(list);
}

void LaunchFollower::on_kernel_list(const Result<upstream::PodListRef>& list) {
  listing_ = false;
  if (list && (*list)->kernels.find(launch_->answer->kernel_id) != nullptr) return begin_deleting();
  look_again();
}

void LaunchFollower::look_again() {
  if (loop_.now_us() >= until_us_) return end();  // it never came up
  pause_ms_ = std::min(pause_ms_ * 2, limits::kLaunchLookMostMs);
  deadline_.set_ms(pause_ms_);
}

void LaunchFollower::begin_deleting() {
  state_ = State::kDeleting;
  launch_->at = {};
  pause_ms_ = limits::kLaunchLookFirstMs;
  until_us_ = loop_.now_us() + uint64_t{limits::kOrphanDeleteMs} * 1'000;
  try_delete();
}

void LaunchFollower::try_delete() {
  upstream::LeaseWaiter& waiter = *this;
  const Result<upstream::UpstreamConnection*> leased =
      pod_.pool.lease(waiter, upstream::LeaseKind::kChecked);
  if (!leased) return delete_later();
  leasing_ = *leased == nullptr;
  deadline_.set_ms(limits::kDeleteMs);
  if (!leasing_) on_lease(**leased);
}

void LaunchFollower::on_lease(upstream::UpstreamConnection& connection) {
  leasing_ = false;
  connection_ = &connection;
  upstream::UpstreamHandler& handler = *this;
  connection.begin(handler, http::Method::kDelete);
  const Secret& own = pod_.endpoint.gateway_token;
  const std::string_view token =
      pod_.endpoint.forwards_credentials ? launch_->token.reveal() : own.reveal();
  const std::string path =
      upstream::path_of(kernel::Operation::kDeleteKernel, launch_->answer->kernel_id);
  connection.stream().write(upstream::head_of({.method = "DELETE", .path = path, .token = token},
                                              pod_.endpoint, pod_.pod));
}

void LaunchFollower::on_lease_failed(const Error&) {
  leasing_ = false;
  delete_later();
}

void LaunchFollower::delete_later() {
  if (loop_.now_us() >= until_us_) return leave_alone("the gateway does not delete it");
  pause_ms_ = std::min(pause_ms_ * 2, limits::kLaunchLookMostMs);
  deadline_.set_ms(pause_ms_);
}

void LaunchFollower::give_back(bool healthy) {
  if (std::exchange(listing_, false)) pod_.lists.cancel(*this);
  if (std::exchange(leasing_, false)) pod_.pool.cancel(*this);
  upstream::UpstreamConnection* connection = std::exchange(connection_, nullptr);
  if (connection != nullptr) pod_.pool.release(*connection, healthy);
}

void LaunchFollower::abandon() {
  give_back(false);
  leave_alone("the proxy ends");
}

void LaunchFollower::leave_alone(const char* why) {
  pod_.counters.orphans_left.add();
  log_unfollowed(pod_, launch_->answer->kernel_id, why);
  end();
}

void LaunchFollower::end() {
  give_back(false);
  deadline_.clear();
  pod_.counters.launches_followed.sub();
  launch_.reset();
  owner_.forget(*this);
}

void LaunchFollowers::follow(std::unique_ptr<Launch> launch, upstream::EndpointPin endpoint,
                             upstream::LocalPod& pod, upstream::UpstreamConnection& connection,
                             uint64_t until_us) {
  LaunchFollower* follower = add(launch, endpoint, pod);
  if (follower != nullptr) return follower->follow(connection, until_us);
  pod.pool.release(connection, false);
}

void LaunchFollowers::look_for(std::unique_ptr<Launch> launch, upstream::EndpointPin endpoint,
                               upstream::LocalPod& pod, const LaunchAnswerRef& told,
                               uint64_t until_us) {
  LaunchFollower* follower = add(launch, endpoint, pod);
  if (follower != nullptr) follower->look_for(told, until_us);
}

void LaunchFollowers::discard(std::unique_ptr<Launch> launch, upstream::EndpointPin endpoint,
                              upstream::LocalPod& pod) {
  LaunchFollower* follower = add(launch, endpoint, pod);
  if (follower != nullptr) follower->discard();
}

// Null if there are too many; both stay with the caller, to die.
LaunchFollower* LaunchFollowers::add(std::unique_ptr<Launch>& launch,
                                     upstream::EndpointPin& endpoint, upstream::LocalPod& pod) {
  if (followers_.size() >= limits::kFollowedLaunchesMax) {
    pod.counters.orphans_left.add();
    log_unfollowed(pod, launch->answer->kernel_id, "too many are followed");
    return nullptr;
  }
  auto made =
      std::make_unique<LaunchFollower>(loop_, *this, std::move(launch), std::move(endpoint), pod);
  LaunchFollower* follower = made.get();
  followers_.emplace(follower, std::move(made));
  return follower;
}

void LaunchFollowers::forget(LaunchFollower& follower) {
  const auto found = followers_.find(&follower);
  KG_ASSERT(found != followers_.end());
  loop_.defer_delete(std::move(found->second));
  followers_.erase(found);
  if (followers_.empty() && on_empty_) on_empty_();
}

void LaunchFollowers::abandon_all() {
  while (!followers_.empty()) followers_.begin()->first->abandon();
}

}  // namespace kg::exchange
