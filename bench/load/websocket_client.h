// WebsocketClient: the client's end of one WebSocket (RFC 6455), blocking, whole messages.
//
// Pings are answered while waiting for a message. Limits: messages up to kMessageBytesMax.
// Thread: one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "bench/load/connection.h"
#include "bench/load/outcome.h"
#include "bench/load/target.h"

namespace kg::bench {

inline constexpr size_t kMessageBytesMax =
    size_t{64} * 1024 * 1024;  // kernels' outputs reach 10 MiB and more

class WebsocketClient {
 public:
  // Opens and upgrades. `path` is below the target's prefix, with query. No subprotocol is offered:
  // the kernel protocol is then the legacy framing (domain G24, G33).
  static Outcome<std::unique_ptr<WebsocketClient>> open(const Target& target,
                                                        const std::string& path, Deadline deadline,
                                                        const Stop* stop);

  Outcome<void> send_text(std::string_view text, Deadline deadline);
  // The next text message. A Close ends it as Failure{"closed", "1012 restarting"}.
  Outcome<std::string> receive_text(Deadline deadline);
  // Says goodbye and waits for the peer's Close until the deadline; then the transport goes.
  void close(Deadline deadline);

 private:
  explicit WebsocketClient(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

  struct Frame {
    unsigned char opcode = 0;
    bool fin = false;
    std::string payload;
  };
  Outcome<Frame> receive_frame(Deadline deadline);
  Outcome<void> fill(size_t bytes, Deadline deadline);
  Outcome<void> send_frame(unsigned char opcode, std::string_view payload, Deadline deadline);

  std::unique_ptr<Connection> connection_;
  std::string input_;  // received, not yet taken from begin_ on
  size_t begin_ = 0;
};

}  // namespace kg::bench
