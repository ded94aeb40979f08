// Close frames of our own: one whole control frame, and a reason that is still UTF-8.
#include <string>

#include "config/utf8.h"
#include "proxy/websocket/control_frame.h"
#include "proxy/websocket/frame_scanner.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

bool is_text(std::string_view text) {
  return config::is_printable_utf8(text, config::LineBreaks::kAllow);
}

// The payload of a frame whose header is `header` bytes long.
std::string unmasked(std::string_view frame, size_t header) {
  std::string payload(frame.substr(header));
  for (size_t i = 0; header == 6 && i < payload.size(); ++i) {
    payload[i] = static_cast<char>(payload[i] ^ frame[2 + i % 4]);
  }
  return payload;
}

void check(const std::string& frame, bool masked, uint16_t code, std::string_view reason) {
  websocket::FrameScanner scanner;
  scanner.scan(frame);
  KG_ASSERT(scanner.closed() && scanner.at_boundary());
  const size_t header = masked ? 6 : 2;
  KG_ASSERT(static_cast<unsigned char>(frame[0]) == 0x88);
  KG_ASSERT(((static_cast<unsigned char>(frame[1]) & 0x80) != 0) == masked);
  const std::string payload = unmasked(frame, header);
  KG_ASSERT(payload.size() <= 125);
  if (payload.empty()) {
    KG_ASSERT(scanner.close_code() == 1005);
    return;
  }
  KG_ASSERT(payload.size() >= 2 && scanner.close_code() == code);
  KG_ASSERT(code != 1005 && code != 1006 && code != 1015);
  const std::string_view said = std::string_view(payload).substr(2);
  KG_ASSERT(reason.starts_with(said));
  if (is_text(reason)) KG_ASSERT(is_text(said));
  if (reason.size() <= 123) KG_ASSERT(said == reason);
}

}  // namespace

// Two bytes of a code, then the reason.
void run(std::string_view input) {
  if (input.size() < 2) return;
  const auto code = static_cast<uint16_t>(static_cast<unsigned char>(input[0]) << 8 |
                                          static_cast<unsigned char>(input[1]));
  input.remove_prefix(2);
  check(websocket::close_frame(code, input, websocket::Masking::kNone), false, code, input);
  check(websocket::close_frame(code, input, websocket::Masking::kRandom), true, code, input);
}

}  // namespace kg::fuzz
