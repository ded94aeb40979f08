// What a Relay makes of a lost gateway: whether that may be a gap, and how the gap ends.
#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/exchange/kernel_activity.h"
#include "proxy/exchange/relay.h"
#include "proxy/websocket/control_frame.h"

namespace kg::exchange {

using websocket::Masking;

namespace {

constexpr uint16_t kWithoutCode = 1005;

// Codes by which a server says that it goes away, broke, restarts or has too much to do, not that
// this WebSocket has done its work (RFC 6455 section 7.4.1 and its registry). A Close without a
// code is not among them: gateways say so to one whose place another connection with the same
// session_id has taken (domain J32a), and who came back would throw that one out.
constexpr bool goes_away(uint16_t code) noexcept {
  return code == 1001 || code == 1011 || code == 1012 || code == 1013;
}

// Of an unmasked Close frame, by its first two bytes; 2 if it is no lawful one.
size_t close_frame_size(std::string_view begin) noexcept {
  const auto first = static_cast<unsigned char>(begin[0]);
  const auto second = static_cast<unsigned char>(begin[1]);
  return first == 0x88 && second <= 125 ? size_t{2} + second : 2;
}

uint16_t close_code_of(std::string_view frame) noexcept {
  if (frame.size() < 4) return kWithoutCode;
  return static_cast<uint16_t>(static_cast<unsigned char>(frame[2]) << 8 |
                               static_cast<unsigned char>(frame[3]));
}

}  // namespace

void Relay::allow_gaps(GapEnd allowed) {
  gaps_ = allowed;
  if (allowed != GapEnd::kMended) return;
  link_.keep();
  upstream_.frames.hold_close();
}

// Whether the gateway's end is a loss: gaps are wanted, and nobody has said goodbye.
bool Relay::is_loss() const noexcept {
  return gaps_.has_value() && !client_.ended && !client_.deaf && closing_ == Closing::kNo &&
         !client_.frames.closed() && !upstream_.frames.closed();
}

// Why the loss cannot be made good; kMended if it can. Cuts the link.
GapEnd Relay::hindrance() {
  if (*gaps_ != GapEnd::kMended) return *gaps_;
  if (!upstream_.frames.between_messages()) return GapEnd::kInsideMessage;
  if (client_.frames.lost() || !link_.cut()) return GapEnd::kUnheld;
  return GapEnd::kMended;
}

bool Relay::begin_gap() {
  const GapEnd why_not = hindrance();
  if (why_not != GapEnd::kMended) {
    metrics_.websocket_gaps[static_cast<size_t>(why_not)].add();
    return false;
  }
  gap_since_us_ = owner_.relay_now_us();
  upstream_.pongs = websocket::PongFilter(Masking::kNone);  // what it held is not sent twice
  owner_.relay_gap_began();
  return true;
}

void Relay::lose_upstream() {
  if (!begin_gap()) end_upstream(ErrorCode::kUpstreamLost);
}

void Relay::join(event::Stream& upstream) {
  KG_ASSERT(in_gap() && !ended_);
  end_gap(GapEnd::kMended);
  ++record_.reconnects;
  upstream_.life.begin_anew(owner_.relay_now_us());
  if (activity_ != nullptr) activity_->connection_replaced();
  link_.join(upstream);
  if (upstream_.paused) link_.pause(event::Pause::kPeerSlow);
  on_upstream_drained();
}

void Relay::give_up(const Error& why, GapEnd how) {
  KG_ASSERT(in_gap() && !ended_);
  end_gap(how);
  upstream_.ended = upstream_.deaf = true;
  record_.error = why;
  const ErrorRow& row = why.row();
  remember_end("proxy", row.close_code);
  client_.stream.write(websocket::close_frame(
      row.close_code, std::string(row.cause) + " " + std::string(row.remedy), Masking::kNone));
  client_.stream.finish();
  resume(client_);  // its answer, or its end, is still to be read
  owner_.set_relay_deadline(limits::kHalfCloseMs);
}

void Relay::say_in_gap(std::string_view frame) {
  KG_ASSERT(in_gap() && !ended_);
  client_.stream.write(frame);
  metrics_.notices_said.add();
}

void Relay::end_gap(GapEnd how) {
  metrics_.websocket_gaps[static_cast<size_t>(how)].add();
  metrics_.websocket_gap.observe_us(owner_.relay_now_us() - gap_since_us_);
  gap_since_us_ = 0;
}

// The client has ended: for nobody is anything to be mended any more.
void Relay::drop_gap() {
  owner_.relay_gap_dropped();
  end_gap(GapEnd::kDropped);
  upstream_.ended = upstream_.deaf = true;
}

void Relay::abandon(ErrorCode why) {
  owner_.relay_gap_dropped();
  give_up({why, "", 0}, GapEnd::kDropped);
}

// A Close of the gateway's is judged whole before it goes on.
void Relay::take_close(std::string_view bytes) {
  size_t size = 2;
  for (;;) {
    if (close_.size() >= 2) size = close_frame_size(close_);
    if (close_.size() >= size || bytes.empty()) break;
    const size_t more = std::min(size - close_.size(), bytes.size());
    close_.append(bytes.substr(0, more));
    bytes.remove_prefix(more);
  }
  if (close_.size() < size) return;
  const std::string close = std::exchange(close_, {});
  if (closing_ == Closing::kParting) return end_parting();
  if (is_loss() && goes_away(close_code_of(close))) {
    upstream_.frames.drop_close();
    return lose_upstream();
  }
  upstream_.frames.pass_close();
  const uint64_t now_us = owner_.relay_now_us();
  take<metrics::kFromUpstream>(close, now_us);
  if (!bytes.empty() && !ended_ && !client_.deaf) {
    take<metrics::kFromUpstream>(bytes, now_us);
  }
}

}  // namespace kg::exchange
