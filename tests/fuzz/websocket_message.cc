// A whole message of a gateway: its payload is what its frames hold, and the scanner agrees on
// where it ends.
#include "proxy/websocket/frame_scanner.h"
#include "proxy/websocket/message_frame.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  const auto payload = websocket::message_payload(input);
  if (payload) {
    KG_ASSERT(payload->size() < input.size());
    websocket::FrameScanner scanner;
    KG_ASSERT(scanner.scan(input) == input.size() && scanner.between_messages());
    KG_ASSERT(scanner.messages() == 1);
  }
  if (input.size() > 0xffff) return;
  const std::string frame = websocket::message_frame(websocket::MessageKind::kBinary, input);
  KG_ASSERT(websocket::message_payload(frame) == input);
}

}  // namespace kg::fuzz
