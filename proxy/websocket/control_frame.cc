#include "proxy/websocket/control_frame.h"

#include <array>

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"

namespace kg::websocket {
namespace {

constexpr size_t kPayloadBytesMax = 125;  // section 5.5
constexpr size_t kReasonBytesMax = kPayloadBytesMax - 2;
constexpr char kFinClose = '\x88';
constexpr char kFinPing = '\x89';

// Codes that only say what happened and never stand in a frame (section 7.4.1).
constexpr bool is_reserved(uint16_t code) noexcept {
  return code == 1005 || code == 1006 || code == 1015;
}

std::string close_payload(uint16_t code, std::string_view reason) {
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

std::string control_frame(char first, std::string_view payload, Masking masking) {
  KG_ASSERT(payload.size() <= kPayloadBytesMax);
  std::string frame(1, first);
  if (masking == Masking::kNone) {
    frame += static_cast<char>(payload.size());
    return frame.append(payload);
  }
  std::array<char, 4> key{};
  crypto::random_bytes(key.data(), key.size());
  frame += static_cast<char>(payload.size() | 0x80U);
  frame.append(key.data(), key.size());
  for (size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(payload[i] ^ key[i % key.size()]);
  }
  return frame;
}

}  // namespace

std::string close_frame(uint16_t code, std::string_view reason, Masking masking) {
  return control_frame(kFinClose, close_payload(code, reason), masking);
}

std::string ping_frame(std::string_view payload, Masking masking) {
  return control_frame(kFinPing, payload, masking);
}

}  // namespace kg::websocket
