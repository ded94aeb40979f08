#include "proxy/exchange/reconnection.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/websocket/handshake.h"

namespace kg::exchange {

using metrics::GapEnd;
using Verdict = ReconnectPlan::Verdict;

namespace {

uint32_t chance() {
  uint32_t number = 0;
  crypto::random_bytes(&number, sizeof number);
  return number;
}

}  // namespace

Reconnection::Reconnection(Place place, ReconnectOwner& owner)
    : place_(std::move(place)),
      pod_(&place_.pod),
      owner_(owner),
      deadline_(place_.loop, [this] { on_deadline(); }) {}

Reconnection::~Reconnection() { KG_ASSERT(state_ == State::kOver && connection_ == nullptr); }

void Reconnection::start() {
  place_.plan.lost(place_.loop.now_us());
  pause_or_end();
}

void Reconnection::cancel() noexcept {
  if (state_ == State::kOver) return;
  if (state_ == State::kPlacing) stop_placing();
  if (state_ == State::kQueued) pod_->pool.cancel(*this);
  release();
  state_ = State::kOver;
  deadline_.clear();
}

void Reconnection::pause_or_end() {
  const auto pause = place_.plan.pause_ms(place_.loop.now_us(), chance());
  // Not before this turn has ended: the owner is in the middle of something.
  state_ = State::kPausing;
  deadline_.set_ms(pause.value_or(0));
}

void Reconnection::try_now() {
  const bool gone = pod_->pod.facts->gone();
  if (gone && !pod_->endpoint.replication) return end(ErrorCode::kKernelGone, GapEnd::kDead);
  if (place_.plan.is_over(place_.loop.now_us())) {
    return end(ErrorCode::kUpstreamLost, GapEnd::kTimeout);
  }
  // A pod that has loaded it in another's place gives it up when that one is back.
  if (gone || placed_) return find_pod();
  ask();
}

void Reconnection::find_pod() {
  state_ = State::kPlacing;
  deadline_.set_ms(place_.plan.left_ms(place_.loop.now_us()));
  upstream::PlacingOwner& owner = *this;
  placing_ =
      std::make_unique<upstream::Placing>(place_.loop, place_.endpoint, place_.kernel, owner);
  const auto placed = placing_->begin();
  if (placed) on_placed(*placed);
}

void Reconnection::on_placed(const Result<upstream::LocalPod*>& pod) {
  KG_ASSERT(state_ == State::kPlacing);
  stop_placing();
  if (!pod) {
    const ErrorCode code = pod.error().code;
    const bool dead = code == ErrorCode::kNoKernel || code == ErrorCode::kKernelLost;
    return dead ? end(ErrorCode::kKernelGone, GapEnd::kDead) : pause_or_end();
  }
  placed_ = true;
  pod_ = *pod;
  owner_.reconnect_moves(*pod_);
  ask();
}

void Reconnection::stop_placing() noexcept {
  placing_->stop();
  place_.loop.defer_delete(std::move(placing_));
}

void Reconnection::ask() {
  place_.metrics.websocket_reconnect_tries.add();
  const Result<upstream::UpstreamConnection*> leased =
      pod_->pool.lease(*this, upstream::LeaseKind::kFresh);
  if (!leased) return pause_or_end();
  if (*leased != nullptr) return on_lease(**leased);
  state_ = State::kQueued;
  deadline_.set_ms(pod_->pod.limits.queue_ms);
}

void Reconnection::on_deadline() {
  switch (state_) {
    case State::kPausing:
      return try_now();
    case State::kPlacing:
      stop_placing();
      return end(ErrorCode::kUpstreamLost, GapEnd::kTimeout);
    case State::kQueued:
      pod_->pool.cancel(*this);
      return pause_or_end();
    case State::kAsking:
      return look_at_handshake();
    case State::kOver:
      return;
  }
}

void Reconnection::look_at_handshake() {
  const uint64_t now_us = place_.loop.now_us();
  const uint64_t waited_ms = (now_us - asked_us_) / 1'000;
  if (waited_ms >= place_.upgrade_ms) {
    pod_->failed(ErrorCode::kUpstreamTimeout, now_us);
    release();
    return end(ErrorCode::kUpstreamLost, GapEnd::kTimeout);
  }
  const bool elsewhere = pod_->pod.facts->gone() && pod_->endpoint.replication;
  if (elsewhere && !place_.plan.is_over(now_us)) {
    release();
    return find_pod();
  }
  const bool connected = connection_->connect_us() != 0;  // else it has a deadline of its own
  if (connected && !std::exchange(told_slow_, true)) owner_.reconnect_is_slow();
  const uint64_t left_ms = place_.upgrade_ms - waited_ms;
  const bool may_move = pod_->endpoint.replication && !place_.plan.is_over(now_us);
  const bool looks_again = !told_slow_ || may_move;
  deadline_.set_ms(looks_again ? std::min<uint64_t>(left_ms, limits::kReconnectSlowMs) : left_ms);
}

void Reconnection::on_lease(upstream::UpstreamConnection& connection) {
  state_ = State::kAsking;
  connection_ = &connection;
  asked_us_ = place_.loop.now_us();
  key_ = websocket::new_key();
  connection.begin(*this, http::Method::kGet);
  std::string head;
  owner_.append_reconnect_head(key_, head);
  connection.stream().write(head);
  deadline_.set_ms(std::min(place_.upgrade_ms, limits::kReconnectSlowMs));
}

void Reconnection::on_lease_failed(const Error&) { pause_or_end(); }

void Reconnection::on_upstream_error(const Error& error) {
  pod_->failed(error.code, place_.loop.now_us());
  release();
  pause_or_end();
}

void Reconnection::on_response_head(const http::ResponseHead& head) {
  const uint64_t now_us = place_.loop.now_us();
  pod_->answered(head.status, now_us);
  Verdict verdict = ReconnectPlan::judge(head.status);
  if (verdict == Verdict::kJoin && !websocket::check_reconnect(head, key_, place_.protocol)) {
    verdict = Verdict::kRefused;
  }
  if (verdict == Verdict::kJoin) {
    upstream::UpstreamConnection& connection = *std::exchange(connection_, nullptr);
    connection.become_tunnel();
    pod_->pool.stop_counting(connection);
    place_.plan.mended(now_us);
    state_ = State::kOver;
    deadline_.clear();
    return owner_.reconnected(connection);
  }
  release();
  // Gateways before 3.3.0 load a kernel when it is asked for, but not for a WebSocket (domain J21).
  if (verdict == Verdict::kDead && !placed_ && pod_->endpoint.replication) {
    place_.endpoint.kernels.forget(place_.kernel.id);
    return find_pod();
  }
  if (verdict == Verdict::kDead) return end(ErrorCode::kKernelGone, GapEnd::kDead);
  if (verdict == Verdict::kRefused) return end(ErrorCode::kUpstreamLost, GapEnd::kRefused);
  pause_or_end();
}

void Reconnection::release() noexcept {
  upstream::UpstreamConnection* connection = std::exchange(connection_, nullptr);
  if (connection != nullptr) pod_->pool.release(*connection, false);
}

void Reconnection::end(ErrorCode why, GapEnd how) {
  state_ = State::kOver;
  deadline_.clear();
  owner_.reconnect_failed({why, "", 0}, how);
}

}  // namespace kg::exchange
