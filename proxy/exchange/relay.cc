#include "proxy/exchange/relay.h"

#include <string>

#include "proxy/base/limits.h"
#include "proxy/websocket/close_frame.h"

namespace kg::exchange {
namespace {

using event::Pause;
using metrics::kFromClient;
using metrics::kFromUpstream;

void count(const websocket::FrameScanner& scanner, uint64_t before, size_t bytes,
           metrics::EndpointMetrics& counters, metrics::Direction direction) {
  counters.bytes[direction].add(bytes);
  const uint64_t messages = scanner.messages() - before;
  if (messages != 0) counters.messages[direction].add(messages);
}

}  // namespace

Relay::Relay(RelayOwner& owner, event::Stream& client, event::Stream& upstream,
             ExchangeRecord& record, metrics::EndpointMetrics& counters)
    : owner_(owner), client_(client), upstream_(upstream), record_(record), counters_(counters) {
  counters_.websockets_open.add();
  counters_.websockets_total.add();
}

Relay::~Relay() { counters_.websockets_open.sub(); }

void Relay::on_client_data(std::string_view bytes) {
  if (client_ended_ || ended_) return;
  const uint64_t before = from_client_.messages();
  from_client_.scan(bytes);
  count(from_client_, before, bytes.size(), counters_, kFromClient);
  record_.bytes_in += bytes.size();
  record_.messages_in = from_client_.messages();
  if (from_client_.closed()) remember_end("client", from_client_.close_code());
  upstream_.write(bytes);
  if (upstream_.unsent() > limits::kPendingBytesHigh) client_.pause(Pause::kPeerSlow);
}

void Relay::on_upstream_data(std::string_view bytes) {
  if (upstream_ended_ || client_told_ || ended_) return;
  if (close_waits_) {
    // Only the rest of the started frame still goes to the client; byte by byte, because the
    // boundary is inside this burst and the scanner tells it only where a call ends.
    const uint64_t messages = from_upstream_.messages();
    size_t used = 0;
    while (used < bytes.size() && !from_upstream_.at_boundary()) {
      from_upstream_.scan(bytes.substr(used, 1));
      ++used;
    }
    count(from_upstream_, messages, used, counters_, kFromUpstream);
    record_.bytes_out += used;
    record_.messages_out = from_upstream_.messages();
    client_.write(bytes.substr(0, used));
    if (from_upstream_.at_boundary()) send_close_to_client();
    return;
  }
  const uint64_t before = from_upstream_.messages();
  from_upstream_.scan(bytes);
  count(from_upstream_, before, bytes.size(), counters_, kFromUpstream);
  record_.bytes_out += bytes.size();
  record_.messages_out = from_upstream_.messages();
  if (from_upstream_.closed()) remember_end("upstream", from_upstream_.close_code());
  client_.write(bytes);
  if (client_.unsent() > limits::kPendingBytesHigh) upstream_.pause(Pause::kPeerSlow);
}

void Relay::on_client_drained() { upstream_.resume(Pause::kPeerSlow); }
void Relay::on_upstream_drained() { client_.resume(Pause::kPeerSlow); }

void Relay::on_client_end() {
  if (client_ended_ || ended_) return;
  client_ended_ = true;
  remember_end("client", from_client_.close_code());
  if (upstream_ended_) return end();
  leave_upstream(true);
  owner_.set_relay_deadline(limits::kHalfCloseMs);
}

// The client's transport is gone, so what the gateway still says has no reader.
void Relay::on_client_lost() {
  on_client_end();
  if (!ended_) upstream_.resume(Pause::kPeerSlow);
}

void Relay::on_upstream_end() {
  if (upstream_ended_ || ended_) return;
  upstream_ended_ = true;
  if (!from_upstream_.closed() && !client_ended_ && !client_told_) {
    // No Close came: the gateway died or was killed. The notebook must not wait for ever (domain
    // G18).
    record_.error = {ErrorCode::kUpstreamGone, "without a close frame", 0};
    remember_end("upstream", from_upstream_.close_code());
    if (from_upstream_.at_boundary()) {
      const ErrorRow& row = record_.error.row();
      client_.write(websocket::close_frame(row.close_code, row.cause));
    }
  }
  if (client_ended_) return end();
  leave_client();
  owner_.set_relay_deadline(limits::kHalfCloseMs);
}

void Relay::on_upstream_lost() { on_upstream_end(); }

void Relay::close(ErrorCode why) {
  if (ended_ || ending()) return;
  record_.error = {why, "", 0};
  if (from_upstream_.at_boundary()) return send_close_to_client();
  close_waits_ = true;
  owner_.set_relay_deadline(limits::kCloseBoundaryMs);
}

void Relay::send_close_to_client() {
  close_waits_ = false;
  client_told_ = true;
  if (from_upstream_.closed()) {
    // The gateway's own Close has gone by, and nothing follows a Close (RFC 6455 section 5.5.1).
    record_.error = {ErrorCode::kNone, "", 0};
    remember_end("upstream", from_upstream_.close_code());
  } else {
    const ErrorRow& row = record_.error.row();
    remember_end("proxy", row.close_code);
    client_.write(websocket::close_frame(row.close_code,
                                         std::string(row.cause) + " " + std::string(row.remedy)));
  }
  // The client's own Close, its answer, goes through to the gateway and ends that side too.
  owner_.set_relay_deadline(limits::kCloseReplyMs);
}

void Relay::leave_client() {
  client_.resume(Pause::kPeerSlow);
  client_.finish();
}

void Relay::leave_upstream(bool say_why) {
  if (say_why && !from_client_.closed() && from_client_.at_boundary()) {
    const ErrorRow& row = error_row(ErrorCode::kClientGone);
    upstream_.write(websocket::masked_close_frame(row.close_code, row.cause));
  }
  upstream_.finish();
}

void Relay::on_deadline() {
  if (ended_) return;
  if (!client_ended_ && !upstream_ended_) {
    // Closing took too long: no boundary came, or the client did not answer our Close.
    remember_end("proxy", record_.error.row().close_code);
    leave_upstream(true);
    leave_client();
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
