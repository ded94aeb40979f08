// How a Relay asks the silent and buries the dead. Nothing of it runs while both sides talk: one
// lazy deadline looks every so often.
#include <algorithm>

#include "proxy/base/limits.h"
#include "proxy/exchange/relay.h"
#include "proxy/websocket/control_frame.h"

namespace kg::exchange {

using metrics::kFromClient;
using websocket::Masking;

void Relay::look_at_life() {
  link_.tidy();
  uint64_t again_us = owner_.relay_now_us() + upstream_.life.ping_after_us();
  if (!in_gap()) again_us = look_at(upstream_, client_);
  if (ending()) return;
  again_us = std::min(again_us, look_at(client_, upstream_));
  if (ending()) return;
  const uint64_t now_us = owner_.relay_now_us();
  owner_.set_relay_deadline(again_us > now_us ? (again_us - now_us + 999) / 1'000 : 0);
}

// Returns when to look again.
uint64_t Relay::look_at(Peer& peer, const Peer& other) {
  const uint64_t now_us = owner_.relay_now_us();
  const uint64_t later_us = now_us + peer.life.ping_after_us();
  if (peer.paused) return later_us;  // its silence is ours
  const event::Delivery delivery = peer.stream.delivery();
  if (peer.stream.unsent() > 0 || delivery.held_back) {
    // A ping would wait behind megabytes in our system, but what the peer takes of them shows.
    peer.life.heard(peer.stream.last_progress_us());
    peer.life.took(delivery.acknowledged, now_us);
  } else if (peer.frames.lost() || peer.frames.closed()) {
    return later_us;  // no ping can be told, or it said Close and waits for the other's
  }
  Liveness::Verdict verdict = peer.life.judge(now_us);
  if (verdict.need == Liveness::Need::kQuestion) {
    if (!ask(peer, other)) {
      if (other.frames.lost()) return later_us;
      return std::min(later_us, now_us + uint64_t{limits::kPingRetryMs} * 1'000);
    }
    verdict = peer.life.judge(now_us);
  }
  if (verdict.need == Liveness::Need::kFuneral) {
    peer.direction == kFromClient ? bury_client() : bury_upstream();
  }
  return verdict.again_us;
}

bool Relay::ask(Peer& peer, const Peer& other) {
  // Bytes that wait for it are a question, and a ping would wait behind them. So is a Close, which
  // nothing may follow.
  if (peer.stream.unsent() == 0 && !other.frames.closed()) {
    if (!other.frames.at_boundary()) return false;
    const auto payload = peer.pongs.next_ping();
    peer.stream.write(
        websocket::ping_frame({payload.data(), payload.size()},
                              peer.direction == kFromClient ? Masking::kNone : Masking::kRandom));
    metrics_.websocket_pings[peer.direction].add();
  }
  peer.life.asked(owner_.relay_now_us());
  return true;
}

void Relay::bury_client() {
  record_.error = {ErrorCode::kClientSilent, "", 0};
  const ErrorRow& row = record_.error.row();
  remember_end("proxy", row.close_code);
  client_.ended = client_.deaf = true;
  owner_.relay_client_died();
  if (in_gap()) {
    drop_gap();
    return end();
  }
  resume(upstream_);  // nobody is left who would
  leave_upstream(&row);
  owner_.set_relay_deadline(limits::kHalfCloseMs);
}

void Relay::bury_upstream() {
  record_.error = {ErrorCode::kUpstreamSilent, "", 0};
  const ErrorRow& row = record_.error.row();
  remember_end("proxy", row.close_code);
  upstream_.ended = upstream_.deaf = true;
  leave_client(&row);
  owner_.set_relay_deadline(limits::kHalfCloseMs);
}

}  // namespace kg::exchange
