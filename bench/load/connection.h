// Connection: one blocking TCP or TLS connection, every step of which has a deadline and can be
// cut short by a Stop.
//
// Thread: one at a time. The socket is non-blocking; waiting happens in poll(2), on the socket and
// on the Stop.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

#include "bench/load/outcome.h"
#include "bench/load/target.h"
#include "proxy/base/owned.h"

namespace kg::bench {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

// Stop ends waiting in all threads at once (Ctrl-C). Borrowed by connections; outlives them.
class Stop {
 public:
  Stop();
  ~Stop();
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;
  void request() noexcept;  // any thread
  bool requested() const noexcept;
  int fd() const noexcept { return fd_; }  // readable once requested

 private:
  int fd_;
};

// Blocks for that long, or until *stop is requested; `stop` may be null: then only time ends it.
void rest(std::chrono::milliseconds duration, const Stop* stop);

class Connection {
 public:
  // Resolves, connects and shakes hands. `stop` may be null: then only the deadline ends a wait.
  static Outcome<std::unique_ptr<Connection>> open(const Target& target, Deadline deadline,
                                                   const Stop* stop);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Outcome<void> write_all(std::string_view bytes, Deadline deadline);
  // At least one byte, or 0 at the end of the stream.
  Outcome<size_t> read_some(char* out, size_t size, Deadline deadline);

 private:
  Connection(int fd, const Stop* stop) : fd_(fd), stop_(stop) {}
  Outcome<void> wait(short events, Deadline deadline) const;
  Outcome<void> wait_tls(int tls_result, const char* step, Deadline deadline) const;
  Outcome<void> shake_hands(const Target& target, Deadline deadline);

  int fd_;
  const Stop* stop_;
  Owned<SSL, SSL_free> tls_;
};

}  // namespace kg::bench
