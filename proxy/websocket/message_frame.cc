#include "proxy/websocket/message_frame.h"

#include <utility>

#include "proxy/base/assert.h"

namespace kg::websocket {

std::string message_frame(MessageKind kind, std::string_view payload) {
  constexpr size_t kShortMax = 125;
  constexpr size_t kLongMax = 0xffff;
  constexpr char kLength16 = 126;
  KG_ASSERT(payload.size() <= kLongMax);
  std::string frame(1, static_cast<char>(0x80 | static_cast<uint8_t>(kind)));
  frame.reserve(4 + payload.size());
  if (payload.size() > kShortMax) {
    frame += kLength16;
    frame += static_cast<char>(payload.size() >> 8);
  }
  frame += static_cast<char>(payload.size() & 0xff);
  return frame.append(payload);
}

std::optional<std::string> message_payload(std::string_view frames) {
  constexpr unsigned char kFin = 0x80;
  constexpr unsigned char kReserved = 0x70;
  constexpr unsigned char kControl = 0x08;
  constexpr unsigned char kMasked = 0x80;
  std::string payload;
  bool whole = false;
  while (!frames.empty()) {
    if (frames.size() < 2) return std::nullopt;
    const auto first = static_cast<unsigned char>(frames[0]);
    const auto second = static_cast<unsigned char>(frames[1]);
    if ((first & kReserved) != 0 || (second & kMasked) != 0 || whole) return std::nullopt;
    const size_t length_bytes = second == 127 ? 8 : second == 126 ? 2 : 0;
    if (frames.size() < 2 + length_bytes) return std::nullopt;
    uint64_t size = length_bytes == 0 ? second : 0;
    for (size_t i = 0; i < length_bytes; ++i) {
      size = size << 8 | static_cast<unsigned char>(frames[2 + i]);
    }
    frames.remove_prefix(2 + length_bytes);
    if (size > frames.size()) return std::nullopt;
    if ((first & kControl) == 0) {
      payload.append(frames.substr(0, size));
      whole = (first & kFin) != 0;
    }
    frames.remove_prefix(size);
  }
  return whole ? std::optional(std::move(payload)) : std::nullopt;
}

}  // namespace kg::websocket
