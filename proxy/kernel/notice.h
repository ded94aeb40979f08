// Notice: a kernel message that the proxy makes itself, so that a notebook shows it: stderr text on
// iopub, or that the kernel is dead, in the framing of the WebSocket that it goes to.
//
// Complete as jupyter_client's messages are, but unsigned: gateways take the signature off on the
// way to a WebSocket, so clients expect none there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kg::kernel {

// How kernel messages stand on a WebSocket, by the subprotocol of its handshake.
enum class Framing : uint8_t {
  kLegacy,  // none: JSON text with the channel inside (domain G33)
  kV1,      // v1.kernel.websocket.jupyter.org: binary, offsets before the parts (domain G34)
};
Framing framing_of(std::string_view subprotocol) noexcept;

// The payload of one WebSocket message, text or binary as the framing says. `parent`: header of the
// request in whose output it stands, as JSON; "" if it belongs to none, then notebooks show it in
// their log. `session` is whose messages these are, for clients that tell senders apart; `wall_us`
// since the epoch.
std::string stderr_notice(Framing framing, std::string_view text, std::string_view parent,
                          std::string_view session, uint64_t wall_us);

// The same of what a server says of a kernel that has died: status `dead` on iopub, which belongs
// to no request (domain Z10).
std::string dead_notice(Framing framing, std::string_view session, uint64_t wall_us);

}  // namespace kg::kernel
