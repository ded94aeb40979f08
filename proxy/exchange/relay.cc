#include "proxy/exchange/relay.h"

#include <string>

#include "proxy/base/limits.h"
#include "proxy/exchange/kernel_activity.h"
#include "proxy/websocket/control_frame.h"

namespace kg::exchange {

using event::Pause;
using metrics::kFromClient;
using metrics::kFromUpstream;
using websocket::Masking;

Relay::Relay(RelayOwner& owner, event::Stream& client, event::Stream& upstream,
             ExchangeRecord& record, metrics::EndpointMetrics& counters,
             metrics::WorkerMetrics& metrics, const WebSocketSettings& settings,
             KernelActivity* activity)
    : owner_(owner),
      record_(record),
      counters_(counters),
      metrics_(metrics),
      activity_(activity),
      link_(upstream),
      client_{client, kFromClient,
              Liveness(settings.ping_after_ms, settings.client_dead_after_ms, owner.relay_now_us()),
              websocket::PongFilter(Masking::kRandom)},
      upstream_{
          link_, kFromUpstream,
          Liveness(settings.ping_after_ms, settings.gateway_dead_after_ms, owner.relay_now_us()),
          websocket::PongFilter(Masking::kNone)} {
  client_.frames.limit_message(settings.message_bytes_max);
  upstream_.frames.limit_message(settings.message_bytes_max);
  counters_.websockets_open.add();
  counters_.websockets_total.add();
  owner_.set_relay_deadline(settings.ping_after_ms);
}

Relay::~Relay() {
  if (attention_ != nullptr && !attention_->notice.empty()) metrics_.notices_unsaid.add();
  counters_.websockets_open.sub();
}

void Relay::on_client_data(std::string_view bytes) {
  if (client_.ended || ended_) return;
  if (upstream_.deaf) {
    if (closing_ != Closing::kNo) leave_untaken(bytes);
    return;
  }
  const uint64_t now_us = owner_.relay_now_us();
  client_.life.heard(now_us);
  take<kFromClient>(bytes, now_us);
  if (closing_ == Closing::kParting) say_close_to_upstream();
}

void Relay::on_upstream_data(std::string_view bytes) {
  if (upstream_.ended || client_.deaf || ended_ || in_gap()) return;
  const uint64_t now_us = owner_.relay_now_us();
  upstream_.life.heard(now_us);
  if (closing_ == Closing::kAtBoundary) return finish_frame_to_client(bytes);
  if (upstream_.frames.at_close()) return take_close(bytes);
  take<kFromUpstream>(bytes, now_us);
}

inline void Relay::tell(const Peer& from, std::string_view passed, uint64_t now_us) {
  if (from.direction == kFromUpstream) {
    activity_->gateway_said(passed, from.frames, now_us);
  } else {
    activity_->client_said(passed, from.frames, now_us);
  }
}

// What one peer says goes to the other.
template <metrics::Direction kFrom>
void Relay::take(std::string_view bytes, uint64_t now_us) {
  Peer& from = kFrom == kFromClient ? client_ : upstream_;
  Peer& to = kFrom == kFromClient ? upstream_ : client_;
  const uint64_t messages = from.frames.messages();
  const uint64_t pings_and_pongs = from.frames.pings_and_pongs();
  size_t passed = 0;
  if (from.pongs.idle() && !is_attended(from)) {
    if (activity_ == nullptr) {
      passed = from.frames.scan(bytes);
    } else {
      passed = from.frames.scan_frame(bytes);
      if (passed == bytes.size()) {
        kFrom == kFromUpstream ? activity_->gateway_said(bytes, from.frames, now_us)
                               : activity_->client_said(bytes, from.frames, now_us);
      } else {
        passed = tell_and_scan(from, bytes, passed, now_us);
      }
    }
    pass(from, to, bytes.substr(0, passed));
    bytes.remove_prefix(passed);
  } else {
    std::string_view rest = bytes;
    passed = pass_by_frames(from, to, rest, now_us);
    bytes = rest;
  }
  account(from, messages, passed);
  if (from.frames.pings_and_pongs() != pings_and_pongs) {
    const auto pings = static_cast<uint32_t>(pings_and_pongs);
    if (from.frames.pings() != pings) to.life.asked_by_other_end(now_us);
    if (from.frames.pongs() != pings_and_pongs >> 32) from.life.answered_other_end();
  }
  if (from.frames.closed()) {
    remember_end(kFrom == kFromClient ? "client" : "upstream", from.frames.close_code());
  }
  if (to.stream.unsent() > limits::kPendingBytesHigh) {
    from.paused = true;
    from.stream.pause(Pause::kPeerSlow);
  }
  if (from.frames.too_large()) return refuse_message(from);
  if (from.frames.at_close()) take_close(bytes);
}
template void Relay::take<kFromUpstream>(std::string_view bytes, uint64_t now_us);

void Relay::pass(const Peer& from, Peer& to, std::string_view bytes) {
  if (from.direction == kFromUpstream) return to.stream.write(bytes);
  link_.pass(bytes, from.frames.open_bytes());
}

// Frame by frame, because whoever looks into messages has to know where they stand. `passed`: by
// the first scan_frame().
size_t Relay::tell_and_scan(Peer& from, std::string_view bytes, size_t passed, uint64_t now_us) {
  if (passed > 0) tell(from, bytes.substr(0, passed), now_us);
  while (passed != bytes.size() && !from.frames.too_large() && !from.frames.at_close()) {
    const std::string_view rest = bytes.substr(passed);
    const size_t used = from.frames.scan_frame(rest);
    if (used > 0) tell(from, rest.substr(0, used), now_us);
    passed += used;
  }
  return passed;
}

// Takes our pongs out, hears messages, and puts a notice in.
size_t Relay::pass_by_frames(Peer& from, Peer& to, std::string_view& bytes, uint64_t now_us) {
  size_t passed = 0;
  while (!bytes.empty() && !from.frames.too_large() && !from.frames.at_close()) {
    const websocket::PongFilter::Step step = from.pongs.next(bytes, from.frames);
    if (step.newest) {
      metrics_.websocket_ping[from.direction].observe_us(owner_.relay_now_us() -
                                                         from.life.asked_us());
    }
    bytes.remove_prefix(step.used);
    pass(from, to, step.pass);
    passed += step.pass.size();
    if (activity_ != nullptr && !step.pass.empty()) tell(from, step.pass, now_us);
    if (is_attended(from)) attend(step.pass);
  }
  return passed;
}

// A peer ended within what might have become a pong.
void Relay::pass_held(Peer& from, Peer& to) {
  const std::string_view held = from.pongs.take_held();
  if (held.empty() || to.deaf) return;
  const uint64_t messages = from.frames.messages();
  from.frames.scan(held);
  pass(from, to, held);
  account(from, messages, held.size());
}

// Only the rest of the started frame still goes to the client, before our Close.
void Relay::finish_frame_to_client(std::string_view bytes) {
  const uint64_t messages = upstream_.frames.messages();
  const size_t used = upstream_.frames.scan_frame(bytes);
  account(upstream_, messages, used);
  client_.stream.write(bytes.substr(0, used));
  if (upstream_.frames.at_boundary()) send_close_to_client();
}

void Relay::account(const Peer& from, uint64_t messages_before, size_t bytes) {
  const bool in = from.direction == kFromClient;
  counters_.bytes[from.direction].add(bytes);
  (in ? record_.bytes_in : record_.bytes_out) += bytes;
  const uint64_t messages = from.frames.messages();
  if (messages == messages_before) return;
  counters_.messages[from.direction].add(messages - messages_before);
  if (in && in_gap()) metrics_.websocket_messages_held.add(messages - messages_before);
  (in ? record_.messages_in : record_.messages_out) = messages;
}

void Relay::on_client_drained() { drained(client_, upstream_); }

void Relay::on_upstream_drained() {
  link_.drained();
  if (link_.waiting() == 0) return drained(upstream_, client_);
  upstream_.life.heard(owner_.relay_now_us());  // what waited in a gap goes first
}

void Relay::drained(Peer& taker, Peer& source) {
  taker.life.heard(owner_.relay_now_us());  // who takes bytes lives
  resume(source);
}

void Relay::resume(Peer& peer) {
  if (peer.paused) peer.life.heard(owner_.relay_now_us());  // until now its silence was ours
  peer.paused = false;
  peer.stream.resume(Pause::kPeerSlow);
}

void Relay::on_client_end() {
  if (client_.ended || ended_) return;
  client_.ended = true;
  if (closing_ == Closing::kParting) closing_ = Closing::kNo;  // nobody is left to be told
  pass_held(client_, upstream_);
  remember_end("client", client_.frames.close_code());
  if (in_gap()) drop_gap();
  if (upstream_.ended) return end();
  leave_upstream(&error_row(ErrorCode::kClientGone));
  owner_.set_relay_deadline(limits::kHalfCloseMs);
}

// The client's transport is gone, so what the gateway still says has no reader.
void Relay::on_client_lost() {
  on_client_end();
  if (!ended_) resume(upstream_);
}

void Relay::on_upstream_end() {
  if (upstream_.ended || ended_ || in_gap()) return;
  if (is_loss()) return lose_upstream();
  end_upstream(ErrorCode::kUpstreamGone);
}

// `silent`: what it counts as if nobody has said Close.
void Relay::end_upstream(ErrorCode silent) {
  upstream_.ended = true;
  pass_held(upstream_, client_);
  if (closing_ == Closing::kParting) return end_parting();
  const ErrorRow* why = nullptr;
  const bool was_leaving = client_.ended || client_.deaf || client_.frames.closed();
  if (!upstream_.frames.closed() && !was_leaving) {
    // No Close came, nor had the client sent one that this might answer: the gateway died or was
    // killed. The notebook must not wait for ever (domain G18).
    record_.error = {silent, "without a close frame", 0};
    remember_end("upstream", upstream_.frames.close_code());
    why = &record_.error.row();
  }
  if (client_.ended) return end();
  leave_client(why);
  owner_.set_relay_deadline(limits::kHalfCloseMs);
}

void Relay::on_upstream_lost() { on_upstream_end(); }

void Relay::expel(ErrorCode why) {
  if (ended_ || client_.ended || upstream_.ended) return;  // what is left lives kHalfCloseMs
  if (in_gap()) return abandon(why);
  client_.ended = true;
  leave_upstream(&error_row(why));
  if (client_.deaf || closing_ == Closing::kAtBoundary) return;
  record_.error = {why, "", 0};
  start_closing();
}

void Relay::start_closing() {
  if (upstream_.frames.at_boundary()) return send_close_to_client();
  closing_ = Closing::kAtBoundary;
  owner_.set_relay_deadline(limits::kCloseBoundaryMs);
}

void Relay::send_close_to_client() {
  closing_ = Closing::kNo;
  say_notice();
  client_.deaf = true;
  if (upstream_.frames.closed()) {
    // The gateway's own Close has gone by, and nothing follows a Close (RFC 6455 section 5.5.1).
    if (!client_.ended) record_.error = {ErrorCode::kNone, "", 0};
    remember_end("upstream", upstream_.frames.close_code());
  } else {
    const ErrorRow& row = record_.error.row();
    remember_end("proxy", row.close_code);
    client_.stream.write(websocket::close_frame(
        row.close_code, std::string(row.cause) + " " + std::string(row.remedy), Masking::kNone));
  }
  // The client's own Close, its answer, goes through to the gateway and ends that side too; unless
  // that has heard ours, and the client's answer is its end.
  if (upstream_.deaf) {
    closing_ = Closing::kParted;
    resume(client_);
    client_.stream.finish();
  }
  owner_.set_relay_deadline(limits::kCloseReplyMs);
}

// A message that is too large goes no further. Its sender hears why; the other side is left as if
// the sender had vanished, unless the frames before ended in the middle.
void Relay::refuse_message(Peer& from) {
  from.ended = true;
  closing_ = Closing::kNo;
  if (in_gap()) return abandon(ErrorCode::kMessageTooLarge);
  if (from.direction == kFromClient) {
    record_.error = {ErrorCode::kMessageTooLarge, "", 0};
    if (upstream_.ended) return end();
    leave_upstream(&error_row(ErrorCode::kClientGone));
    return start_closing();
  }
  record_.error = {ErrorCode::kUpstreamMessageTooLarge, "", 0};
  const ErrorRow& row = record_.error.row();
  remember_end("proxy", row.close_code);
  leave_upstream(&error_row(ErrorCode::kMessageTooLarge));
  upstream_.deaf = true;
  if (client_.ended) return end();
  leave_client(&row);
  owner_.set_relay_deadline(limits::kHalfCloseMs);
}

// Our direction to the client ends, with a Close that says why where one may stand.
void Relay::leave_client(const ErrorRow* why) {
  if (why != nullptr && !upstream_.frames.closed() && upstream_.frames.at_boundary()) {
    client_.stream.write(websocket::close_frame(why->close_code, why->cause, Masking::kNone));
  }
  resume(client_);
  client_.stream.finish();
}

void Relay::leave_upstream(const ErrorRow* why) {
  const bool may_follow = !upstream_.deaf && !client_.frames.closed();
  if (why != nullptr && may_follow && client_.frames.at_boundary()) {
    upstream_.stream.write(websocket::close_frame(why->close_code, why->cause, Masking::kRandom));
  }
  upstream_.stream.finish();
}

void Relay::on_deadline() {
  if (ended_) return;
  if (closing_ == Closing::kParting) return start_closing();  // the gateway has had its time
  if (!ending()) return look_at_life();
  if (!client_.ended && !upstream_.ended) {
    // Closing took too long: no boundary came, or the client did not answer our Close.
    remember_end("proxy", record_.error.row().close_code);
    leave_upstream(&error_row(ErrorCode::kClientGone));
    leave_client(nullptr);
  }
  end();
}

void Relay::remember_end(std::string_view closed_by, uint16_t close_code) {
  if (!record_.closed_by.empty()) return;
  record_.closed_by = closed_by;
  record_.close_code = close_code;
}

void Relay::end() {
  ended_ = true;
  owner_.relay_ended();
}

}  // namespace kg::exchange
