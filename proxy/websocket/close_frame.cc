#include "proxy/websocket/close_frame.h"

#include <array>

#include "proxy/base/crypto.h"

namespace kg::websocket {
namespace {

constexpr size_t kReasonBytesMax = 123;  // 125 of a control frame less the code (section 5.5)
constexpr char kFinClose = '\x88';

// Codes that only say what happened and never stand in a frame (section 7.4.1).
constexpr bool is_reserved(uint16_t code) noexcept {
  return code == 1005 || code == 1006 || code == 1015;
}

std::string payload_of(uint16_t code, std::string_view reason) {
  if (is_reserved(code)) return {};
  size_t size = reason.size();
  if (size > kReasonBytesMax) {
    size = kReasonBytesMax;
    // Not in front of a continuation byte: that would cut a character.
    while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xc0) == 0x80) --size;
  }
  std::string payload;
  payload.reserve(2 + size);
  payload += static_cast<char>(code >> 8);
  payload += static_cast<char>(code & 0xff);
  payload += reason.substr(0, size);
  return payload;
}

}  // namespace

std::string close_frame(uint16_t code, std::string_view reason) {
  const std::string payload = payload_of(code, reason);
  std::string frame{kFinClose, static_cast<char>(payload.size())};
  frame += payload;
  return frame;
}

std::string masked_close_frame(uint16_t code, std::string_view reason) {
  const std::string payload = payload_of(code, reason);
  std::array<char, 4> key{};
  crypto::random_bytes(key.data(), key.size());
  std::string frame{kFinClose, static_cast<char>(payload.size() | static_cast<size_t>(0x80))};
  frame.append(key.data(), key.size());
  for (size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(payload[i] ^ key[i % key.size()]);
  }
  return frame;
}

}  // namespace kg::websocket
