// Whole data messages (RFC 6455 sections 5.2 and 5.6): one of our own to a client, and what stands
// in one of a gateway. Unmasked both, and ours never compressed: that is a message's choice also
// where compression was agreed on (RFC 7692 section 6).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kg::websocket {

enum class MessageKind : uint8_t { kText = 0x1, kBinary = 0x2 };

// `payload`: at most 64 KiB - 1; of a text, UTF-8.
std::string message_frame(MessageKind kind, std::string_view payload);

// `frames`: all of one unmasked message, control frames between its fragments too. nullopt if it is
// compressed, or anything but that.
std::optional<std::string> message_payload(std::string_view frames);

}  // namespace kg::websocket
