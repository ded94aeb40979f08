// Stream: the verbs of a byte connection, plain or TLS, and what it tells its handler.
//
// Reading is pushed: bytes arrive by on_data(), which takes all of them. To stop, the handler
// closes the gate with a reason; reading goes on when the last reason is gone. A gate closed inside
// on_data() still lets the burst in hand through, so a handler's buffer may pass its mark by
// kReadBurstBytes. Writing takes everything and sends it in one call at the end of the turn;
// writers stop their source above kPendingBytesHigh of unsent() and go on at on_drained().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/error.h"
#include "proxy/event/delivery.h"

namespace kg::event {

// Why reading stopped. Each reason has one place that opens it again, named here.
enum class Pause : uint8_t {
  // Each also ends with the exchange that it served.
  kPeerSlow = 1,    // the other side has too much unsent      -> that side's on_drained
  kPipelined = 2,   // bytes of the next request wait          -> the turn of that request
  kConnecting = 4,  // body bytes wait for session or upstream -> the session, the lease
};

class StreamHandler {
 public:
  // `bytes` is valid during the call only. The handler may close the stream inside.
  virtual void on_data(std::string_view bytes) = 0;
  // No more bytes will come. `clean`: the peer said so (close_notify, or FIN on a plain stream).
  virtual void on_end(bool clean) = 0;
  // unsent() fell to kPendingBytesLow after it was above kPendingBytesHigh; and, after finish(),
  // when everything was sent.
  virtual void on_drained() = 0;
  // The transport is dead in both directions.
  virtual void on_error(const Error& error) = 0;

 protected:
  ~StreamHandler() = default;
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual void write(std::string_view bytes) = 0;
  virtual size_t unsent() const noexcept = 0;
  virtual void pause(Pause reason) noexcept = 0;
  virtual void resume(Pause reason) noexcept = 0;
  // Sends what is unsent, then ends our direction. Reading goes on. Idempotent.
  virtual void finish() = 0;
  // Closes both directions at once, after one try to send what is unsent; no call back after it.
  // Idempotent.
  virtual void close() noexcept = 0;
  // Monotonic microseconds of the last byte the peer's system took, or of the first one still
  // waiting.
  virtual uint64_t last_progress_us() const noexcept = 0;
  // A system call.
  virtual Delivery delivery() const noexcept = 0;
  // What write() was given and the peer's system has not taken; it is not sent any more. Only where
  // the owner said so before, and also once the stream has failed. None: that cannot be told.
  virtual std::optional<std::string> take_back() { return std::nullopt; }
};

}  // namespace kg::event
