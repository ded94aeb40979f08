// Socket: a ZeroMQ socket on an event loop. The one place, with keys.cc, that knows zmq.hpp.
//
// libzmq's descriptor is edge-triggered and says only that something may have changed: after each
// wake-up and after each send, ZMQ_EVENTS is read until it says no more. That is a task at the end
// of a turn; kMessagesPerTurnMax messages, then others have their turn.
//
// Owner:  a Door, Publisher or Link, which ends it by close() and EventLoop::defer_delete. Thread:
//         the loop's. libzmq has threads of its own (README.md).
// Limits: messages of bytes_max, queues of kQueueMessages each way and peer; kFramesMax frames.
// Errors: a socket that cannot be made is a sentence. libzmq's exceptions end here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/event/watcher.h"
#include "routing/feed/keys.h"

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace kg::feed {

// libzmq's threads, which begin here. Dies after its sockets.
class Context {
 public:
  Context();
  ~Context();
  zmq::context_t& get() noexcept { return *context_; }

 private:
  std::unique_ptr<zmq::context_t> context_;
};

class SocketHandler {
 public:
  // The views last for the call. `user` is whom the door (door.h) let in: a key, or "".
  virtual void on_message(std::span<const std::string_view> frames, std::string_view user) = 0;
  // A dealer's connection stands, CURVE included, or is lost. libzmq connects again by itself.
  virtual void on_connection(bool /*stands*/) {}

 protected:
  ~SocketHandler() = default;
};

enum class Sent : uint8_t { kYes, kFull, kGone };

class Socket final : public event::Deferred, event::FdHandler, event::Task {
 public:
  enum class Kind : uint8_t { kDealer, kRouter, kDoor };
  struct Options {
    Kind kind = Kind::kDealer;
    size_t bytes_max = 0;
    std::optional<KeyPair> keys;  // none: plaintext
    std::string server_key;       // of a dealer's peer
  };
  static std::unique_ptr<Socket> make(Context& context, event::EventLoop& loop,
                                      SocketHandler& handler, const Options& options,
                                      std::string& problem);
  ~Socket() override;

  // "" or what is wrong. An address is "tcp://HOST:PORT", its host numeric.
  std::string bind(const std::string& address);
  std::string connect(const std::string& address);
  std::string bound_address() const;  // with the port that was chosen for "*"

  Sent send(std::span<const std::string_view> frames);
  void close() noexcept;  // what is unsent is dropped

 private:
  Socket(event::EventLoop& loop, SocketHandler& handler, bool tells_connection);
  void on_fd_readable(bool) override { loop_.schedule_resume(*this); }
  void on_fd_writable() override {}
  void run_task() override;
  bool receive();

  event::EventLoop& loop_;
  SocketHandler& handler_;
  bool tells_connection_;
  bool connected_ = false;
  event::FdWatcher watcher_;
  std::unique_ptr<zmq::socket_t> socket_;
};

// What a dealer calls itself to a router: 128 random bits, new for each socket. A router sends by
// these names, and takes them from whoever comes with one: a name that nobody else can know is what
// keeps a stranger with a key of his own from standing where another proxy stood.
inline constexpr size_t kAddressBytes = 17;
bool is_address(std::string_view routing_id) noexcept;

}  // namespace kg::feed
