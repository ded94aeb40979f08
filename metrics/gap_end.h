// What becomes of a WebSocket whose gateway was lost under it: labels of
// kernelgate_websocket_gaps_total, stable for ever.
#pragma once

#include <cstdint>
#include <string_view>

namespace kg::metrics {

enum class GapEnd : uint8_t {
  kMended,         // the gateway's side stands again, the client noticed nothing
  kDead,           // the gateway does not know the kernel any more
  kTimeout,        // it could not be reached, or did not answer, in time
  kRefused,        // it answered something else than a WebSocket that fits
  kDropped,        // the client left or lost its session, or the proxy drained
  kInsideMessage,  // it was cut inside a message to the client
  kUnheld,         // what the client said is not held whole
  kExtension,      // compression: its state died with the connection
};

inline constexpr uint8_t kGapEndCount = static_cast<uint8_t>(GapEnd::kExtension) + 1;

std::string_view gap_end_label(GapEnd end) noexcept;

}  // namespace kg::metrics
