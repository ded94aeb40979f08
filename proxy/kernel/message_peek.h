// What a kernel message is, told from the first bytes of the WebSocket message that carries it:
// channel, type, ids and, of a status, the state. Neither content nor buffers are parsed, nothing
// is copied.
//
// v1 (domain G34): a count and offsets of 8 bytes, little-endian, then the parts. Legacy (G33,
// G35): one JSON object as text; as binary, a big-endian table of 4-byte offsets before it. Its
// members come in any order, so the scan may have to step over the content; it stops as soon as all
// is known. It checks no more JSON than it needs: what looks right may be wrong further on.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/kernel/notice.h"

namespace kg::kernel {

enum class Speaker : uint8_t { kClient, kGateway };
enum class Channel : uint8_t { kUnknown, kShell, kControl, kStdin, kIopub };
inline constexpr size_t kChannelCount = 5;

enum class MessageType : uint8_t {
  kUnknown,  // none was found
  kOther,
  kStatus,
  kExecuteRequest,
  kExecuteInput,
  kExecuteReply,
  kOutput,  // stream, display_data, update_display_data, execute_result, error
  kComm,    // comm_open, comm_msg, comm_close
  kInputRequest,
  kInputReply,
};
enum class ExecutionState : uint8_t { kUnknown, kStarting, kBusy, kIdle, kRestarting, kDead };

// Views into the text that was looked at, as they stand there: an escape in one stays.
struct MessagePeek {
  Channel channel = Channel::kUnknown;
  MessageType type = MessageType::kUnknown;
  ExecutionState state = ExecutionState::kUnknown;  // of a status
  bool cut = false;                                 // the text ended before all of it was found
  std::string_view type_name;
  std::string_view id;
  std::string_view parent_id;  // of what a gateway says
  std::string_view parent;     // the header that it is in, if that was seen whole
  std::string_view state_name;
};

// `head`: the payload's first bytes, unmasked; `binary`: the WebSocket message's kind.
MessagePeek peek_message(Framing framing, Speaker speaker, bool binary,
                         std::string_view head) noexcept;

// A message id in 64 bits, of its first and last eight bytes and its size. Never 0. Whoever makes
// ids up to be mistaken for one another mistakes his own cells.
constexpr uint64_t mix_id(uint64_t first, uint64_t last, size_t size) noexcept {
  return (first ^ (last * 0x9e37'79b9'7f4a'7c15) ^ (size << 56)) | 1;
}
uint64_t id_key(std::string_view id) noexcept;

}  // namespace kg::kernel
