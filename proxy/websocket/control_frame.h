// Control frames of our own: Close and Ping (RFC 6455 section 5.5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kg::websocket {

// Towards a client frames are unmasked, towards a gateway masked with a random key (section 5.3).
enum class Masking : uint8_t { kNone, kRandom };

// `reason` is cut to 123 bytes at a UTF-8 boundary. Codes that may not be sent (1005, 1006, 1015)
// give a frame without code and reason.
std::string close_frame(uint16_t code, std::string_view reason, Masking masking);
// `payload`: at most 125 bytes.
std::string ping_frame(std::string_view payload, Masking masking);

}  // namespace kg::websocket
