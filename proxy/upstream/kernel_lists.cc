#include "proxy/upstream/kernel_lists.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"

namespace kg::upstream {
namespace {

std::string request_of(const routing::Endpoint& endpoint) {
  std::string out = "GET ";
  if (!endpoint.strip_prefix) out.append(endpoint.path_prefix);
  kernel::KernelRequest list;
  list.operation = kernel::Operation::kListKernels;
  kernel::append_target(list, "", out);
  out.append(" HTTP/1.1\r\nHost: ").append(endpoint.pod.address.text());
  out.append("\r\nUser-Agent: kernelgate\r\nAccept: application/json\r\n");
  if (!endpoint.gateway_token.empty()) {
    out.append("Authorization: token ").append(endpoint.gateway_token.reveal()).append("\r\n");
  }
  return out.append("\r\n");
}

}  // namespace

KernelLists::KernelLists(event::EventLoop& loop, PodPool& pool, const routing::Endpoint& endpoint)
    : loop_(loop), pool_(pool), endpoint_(endpoint), deadline_(loop, [this] { on_deadline(); }) {}

KernelLists::~KernelLists() {
  KG_ASSERT(waiting_.empty());  // each of them pins the endpoint
  give_back(false);
}

Result<KernelListRef> KernelLists::get(KernelListWaiter& waiter) {
  const uint64_t changes = endpoint_.kernel_changes->count();
  constexpr uint64_t kFreshUs = uint64_t{limits::kKernelListFreshMs} * 1'000;
  if (last_ != nullptr && last_->changes == changes &&
      loop_.now_us() - last_->asked_us < kFreshUs) {
    return last_;
  }
  if (state_ == State::kIdle) {
    const Result<void> begun = begin();
    if (!begun) return begun.error();
  }
  waiting_.push_back({&waiter, next_->changes == changes ? round_ : round_ + 1});
  return KernelListRef();
}

void KernelLists::cancel(KernelListWaiter& waiter) noexcept {
  waiting_.remove_if([&](const Waiting& waiting) { return waiting.waiter == &waiter; });
}

Result<void> KernelLists::begin() {
  KG_ASSERT(state_ == State::kIdle);
  ++round_;
  retried_ = false;
  last_.reset();
  next_ = std::make_shared<KernelList>();
  next_->asked_us = loop_.now_us();
  next_->changes = endpoint_.kernel_changes->count();
  deadline_.set_ms(limits::kListMs);
  return lease(LeaseKind::kAny);
}

Result<void> KernelLists::lease(LeaseKind kind) {
  const Result<UpstreamConnection*> leased = pool_.lease(*this, kind);
  if (!leased) return leased.error();
  state_ = State::kQueued;
  if (*leased != nullptr) ask(**leased);
  return {};
}

void KernelLists::on_lease(UpstreamConnection& connection) { ask(connection); }

void KernelLists::on_lease_failed(const Error& error) {
  state_ = State::kIdle;  // the queue has forgotten us
  finish(error, false);
}

void KernelLists::ask(UpstreamConnection& connection) {
  state_ = State::kAsking;
  connection_ = &connection;
  next_->body.clear();
  connection.begin(*this, http::Method::kGet);
  connection.stream().write(request_of(endpoint_));
}

void KernelLists::on_response_head(const http::ResponseHead& head) {
  if (head.status == 200) return;
  finish(Error{ErrorCode::kUpstreamProtocol, "the gateway does not list its kernels", 0}, false);
}

void KernelLists::on_response_body(std::string_view payload) {
  if (next_->body.size() + payload.size() > limits::kListBytesMax) {
    return finish(Error{ErrorCode::kUpstreamProtocol, "the list of kernels is too long", 0}, false);
  }
  next_->body.append(payload);
}

void KernelLists::on_response_end() {
  last_ = next_;
  finish(last_, true);
}

void KernelLists::on_upstream_error(const Error& error) {
  // A GET may be sent again where its connection was closed under it (RFC 9110 section 9.2.2).
  const bool again = !retried_ && connection_->reused() && error.row().retry == Retry::kIfUnsent;
  if (!again) return finish(error, false);
  retried_ = true;
  give_back(false);
  const Result<void> leased = lease(LeaseKind::kFresh);
  if (!leased) finish(leased.error(), false);
}

void KernelLists::on_deadline() {
  if (state_ == State::kIdle) return last_.reset();
  finish(Error{ErrorCode::kUpstreamTimeout, "no list of kernels in time", 0}, false);
}

void KernelLists::finish(const Result<KernelListRef>& list, bool healthy) {
  give_back(healthy);
  next_.reset();
  deadline_.clear();
  if (last_ != nullptr) deadline_.set_ms(limits::kKernelListFreshMs);
  tell(list);
  // Those who came after a change wait for a list of their own.
  while (state_ == State::kIdle && !waiting_.empty()) {
    const Result<void> begun = begin();
    if (!begun) tell(begun.error());
  }
}

// Whoever is told may ask again, or cancel for others.
void KernelLists::tell(const Result<KernelListRef>& list) {
  const uint64_t told = round_;
  const auto is_told = [told](const Waiting& waiting) { return waiting.round <= told; };
  for (;;) {
    const auto next = std::find_if(waiting_.begin(), waiting_.end(), is_told);
    if (next == waiting_.end()) return;
    KernelListWaiter& waiter = *next->waiter;
    waiting_.erase(next);
    waiter.on_kernel_list(list);
  }
}

void KernelLists::give_back(bool healthy) {
  if (state_ == State::kQueued) pool_.cancel(*this);
  state_ = State::kIdle;
  UpstreamConnection* connection = std::exchange(connection_, nullptr);
  if (connection != nullptr) pool_.release(*connection, healthy);
}

}  // namespace kg::upstream
