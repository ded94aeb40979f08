// HeldMessages: what a client has said and no gateway has taken whole, so that it can be said on
// another connection. Pure: it sends nothing.
//
//     first byte of a message                                        newest byte
//     |   given: the connection has these   |   waiting: it has not   |
//
// While a connection stands, given() follows what goes up and copies no more than what might be
// said again: the message that runs, and what comes while bytes before it are unsent. Where each
// burst ends with a message and nothing is unsent, that is nothing. When the connection is lost,
// whole messages that its system took are dropped, never to be said again (domain Z3); the rest
// waits, whatever the client says stands behind it, and next() gives it to the new connection.
// "Message" is a data message with all its frames, or a control frame between two of them.
// Owner:  the UpstreamLink. Thread: the worker's.
// Limits: kResendBytesMax given: a longer message that runs cannot be said again. What waits is
//         bounded by its owner, who stops reading the client.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "proxy/base/buffer.h"

namespace kg::exchange {

class HeldMessages {
 public:
  // `bytes` go to the connection, `unsent` of those before are still with us. `open`: so many of
  // the newest bytes belong to a message that goes on.
  void given(std::string_view bytes, uint64_t open, size_t unsent);
  // The connection's system has all that was given.
  void all_taken() noexcept;
  // The connection is gone. `untaken`: the last bytes given that its system never took; none: that
  // cannot be told. False if a message is cut that is not held whole; then nothing is worth
  // holding.
  bool lost(std::optional<std::string_view> untaken);
  void wait(std::string_view bytes, uint64_t open);
  // The next bytes that wait, at most `most`: they are given now.
  std::string_view next(size_t most) noexcept;

  size_t waiting() const noexcept { return bytes_.size() - given_; }
  size_t size() const noexcept { return bytes_.size(); }

 private:
  void append(std::string_view bytes, uint64_t open);
  void drop(size_t bytes) noexcept;
  size_t whole_within(size_t bytes) const noexcept;

  Buffer bytes_;             // from the first byte of a message on
  size_t given_ = 0;         // of them
  size_t since_ = 0;         // bytes given since all before them were taken
  size_t runs_at_ = 0;       // in bytes_: where the message that runs begins
  bool runs_ = false;        // the newest byte is not the last of its message
  bool runs_held_ = false;   // from its first byte on
  bool since_whole_ = true;  // since_ began between two messages
};

}  // namespace kg::exchange
