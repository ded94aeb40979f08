// Close frames of our own (RFC 6455 section 5.5.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kg::websocket {

// Towards a client: unmasked. `reason` is cut to 123 bytes at a UTF-8 boundary. Codes that may not
// be sent (1005, 1006, 1015) give a frame without code and reason.
std::string close_frame(uint16_t code, std::string_view reason);
// Towards a gateway: masked with a random key (section 5.3).
std::string masked_close_frame(uint16_t code, std::string_view reason);

}  // namespace kg::websocket
