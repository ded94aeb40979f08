// LoopConnection: one connection of the closed loop: always one exchange in flight, the next one
// starts when the answer is there and right.
//
// An exchange is a GET with its whole answer, or a WebSocket message with its echo.
// Thread: one. The set-up blocks, the rest does not.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/outcome.h"
#include "bench/load/target.h"
#include "proxy/base/owned.h"

namespace kg::bench {

struct Workload {
  bool websocket = false;
  std::string path = "/api/kernelspecs";  // of the GET
  size_t message_bytes = 256;             // payload of a message, both ways
};

class LoopConnection {
 public:
  LoopConnection(const Target& target, const Workload& workload);  // both borrowed
  ~LoopConnection();
  LoopConnection(const LoopConnection&) = delete;
  LoopConnection& operator=(const LoopConnection&) = delete;

  // Connects to loopback, shakes hands, upgrades if asked, and turns the socket non-blocking.
  Outcome<void> open();
  int fd() const noexcept { return fd_; }

  Outcome<void> send_next();
  // The socket is readable: true when the exchange is complete (then send_next() is due).
  Outcome<bool> on_readable();

 private:
  Outcome<void> connect_socket();
  Outcome<void> shake_hands();
  Outcome<void> upgrade();
  Outcome<void> write(std::string_view bytes);
  // Bytes read; 0 when there are none now.
  Outcome<size_t> read(char* out, size_t size);
  Outcome<bool> take_answer();
  Outcome<bool> take_frames();
  void make_frame();
  void number_frame();

  const Target& target_;
  const Workload& workload_;
  int fd_ = -1;
  Owned<SSL, SSL_free> tls_;
  std::string request_;  // head of the GET, or the masked frame
  std::string payload_;  // of the frame, as the echo must bring it back
  std::string body_;     // of the first answer, which all others must equal
  std::string input_;    // capacity; input_size_ bytes of it are valid
  size_t input_size_ = 0;
  uint32_t number_ = 0;
};

}  // namespace kg::bench
