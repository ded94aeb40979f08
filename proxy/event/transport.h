// Transport: a TCP connection as a Stream. The one place that reads and writes sockets.
//
// Owner:  a connection object, as a member; destroyed only between turns (EventLoop::defer_delete).
// Limits: one read call takes up to kReadBurstBytes, at most kReadsPerTurnMax calls in a row; more
//         than kUnsentCipherBytesMax unsent is an error.
// Errors: on_error with the code given as `reset`, or kUpstreamConnect while connecting. After a
//         failed write, what the peer had said before is still told first, unless the gate is
//         closed.
// Memory: an idle Transport holds no buffer.
#pragma once

#include <cstdint>

#include "proxy/base/buffer.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/socket.h"
#include "proxy/event/stream.h"
#include "proxy/event/watcher.h"

namespace kg::event {

class TransportHandler : public StreamHandler {
 public:
  virtual void on_connected() {}  // only after connect()
  // The turn ends and output is sent: the last chance to add to output(). No output_grew() here.
  virtual void before_send() {}

 protected:
  ~TransportHandler() = default;
};

class Transport final : public Stream, private FdHandler {
 public:
  // `reset`: the error code for a connection that died.
  Transport(EventLoop& loop, TransportHandler& handler, ErrorCode reset);
  ~Transport() override { close(); }

  void open(Socket socket);     // accepted, ready
  void connect(Socket socket);  // in progress: on_connected or on_error follows
  bool is_open() const noexcept { return socket_.is_open(); }
  const Socket& socket() const noexcept { return socket_; }
  // Acknowledge every read burst at once (Socket::set_quickack). One call per burst.
  void keep_quickack() noexcept { quickack_ = true; }
  // What could not be sent stays for take_back().
  void keep_unsent() noexcept { keeps_unsent_ = true; }

  void write(std::string_view bytes) override;
  // Room in the output for `bytes`, to be filled and committed: saves TLS a copy.
  Buffer& output() noexcept { return unsent_; }
  // Or will have grown by the end of this turn: see before_send().
  void output_grew();
  // False once nothing more can be sent, although what came before may still be read.
  bool takes_output() const noexcept { return is_open() && write_error_ == 0; }
  size_t unsent() const noexcept override { return unsent_.size(); }
  void pause(Pause reason) noexcept override { gate_ |= static_cast<uint8_t>(reason); }
  void resume(Pause reason) noexcept override;
  void finish() override;
  void close() noexcept override;
  uint64_t last_progress_us() const noexcept override { return progress_us_; }
  Delivery delivery() const noexcept override { return delivery_of(socket_.fd()); }
  std::optional<std::string> take_back() override;

 private:
  struct ReadTask final : Task {
    explicit ReadTask(Transport& owner) : transport(owner) {}
    void run_task() override { transport.read_resumed(); }
    Transport& transport;
  };
  struct FlushTask final : Task {
    explicit FlushTask(Transport& owner) : transport(owner) {}
    void run_task() override { transport.flush(); }
    Transport& transport;
  };
  void on_fd_readable(bool closing) override;
  void on_fd_writable() override;
  void read_resumed();
  void read_burst();
  bool read_once(bool& more);
  void look_again();
  void write_failed(int error);
  void send_best_effort() noexcept;
  void flush();
  void fail(const char* detail, int sys);

  EventLoop& loop_;
  TransportHandler& handler_;
  Socket socket_;
  FdWatcher watcher_;
  ReadTask read_task_;
  FlushTask flush_task_;
  Deadline look_again_;
  Buffer unsent_;
  uint64_t progress_us_ = 0;
  int write_error_ = 0;  // errno: no more can be sent, what came before is still read
  ErrorCode reset_;
  uint8_t gate_ = 0;       // bits of Pause
  bool readable_ = false;  // the socket may hold bytes that no edge will announce again
  bool closing_ = false;   // the peer has shut its side
  bool ended_ = false;     // on_end was called
  bool connecting_ = false;
  bool was_high_ = false;
  bool finishing_ = false;
  bool shut_ = false;
  bool quickack_ = false;
  bool keeps_unsent_ = false;
};

}  // namespace kg::event
