// How a Relay ends a WebSocket that could go on: the gateway's side first, then the client's.
#include <string>

#include "proxy/base/limits.h"
#include "proxy/exchange/relay.h"
#include "proxy/websocket/control_frame.h"

namespace kg::exchange {

using websocket::Masking;

void Relay::close(ErrorCode why) {
  if (ended_ || ending()) return;
  if (in_gap()) return abandon(why);
  record_.error = {why, "", 0};
  if (client_.frames.closed() || upstream_.frames.closed()) return start_closing();
  closing_ = Closing::kParting;
  upstream_.frames.hold_close();  // its answer is ours, not the client's
  owner_.set_relay_deadline(limits::kPartingMs);
  say_close_to_upstream();
}

// Behind the message that the client has begun, if it began one; if that does not end in time, the
// client is told first, and its own Close ends the gateway's side.
void Relay::say_close_to_upstream() {
  if (client_.ended || client_.frames.closed() || !client_.frames.between_messages()) return;
  const ErrorRow& row = record_.error.row();
  upstream_.stream.write(websocket::close_frame(row.close_code, row.cause, Masking::kRandom));
  upstream_.deaf = true;
}

// The gateway hears nothing more. A client that does not know it yet may still ask for something.
void Relay::leave_untaken(std::string_view bytes) {
  const uint64_t messages = client_.frames.messages();
  size_t size = client_.frames.scan(client_.pongs.take_held());
  size += client_.frames.scan(bytes);
  account(client_, messages, size);
  metrics_.websocket_messages_untaken.add(client_.frames.messages() - messages);
}

// The gateway has said all that it had to say.
void Relay::end_parting() {
  upstream_.ended = true;
  leave_upstream(&record_.error.row());  // a Close of its own is answered
  upstream_.deaf = true;
  if (upstream_.frames.at_boundary()) return send_close_to_client();
  closing_ = Closing::kNo;  // it ended inside a frame, where nothing may be said
  remember_end("proxy", record_.error.row().close_code);
  leave_client(nullptr);
  owner_.set_relay_deadline(limits::kHalfCloseMs);
}

}  // namespace kg::exchange
