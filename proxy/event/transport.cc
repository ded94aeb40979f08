#include "proxy/event/transport.h"

#include <sys/socket.h>

#include <cerrno>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"

namespace kg::event {
namespace {

// A reset that arrives together with bytes has no edge of its own, and libevent reports both as
// readable: one look after the bytes finds it.
constexpr uint64_t kLookAgainMs = 1'000;

}  // namespace

Transport::Transport(EventLoop& loop, TransportHandler& handler, ErrorCode reset)
    : loop_(loop),
      handler_(handler),
      watcher_(loop, *this),
      read_task_(*this),
      flush_task_(*this),
      look_again_(loop, [this] { look_again(); }),
      reset_(reset) {}

void Transport::open(Socket socket) {
  KG_ASSERT(!socket_.is_open() && socket.is_open());
  socket_ = std::move(socket);
  watcher_.watch(socket_.fd());
}

void Transport::connect(Socket socket) {
  open(std::move(socket));
  connecting_ = true;
  watcher_.watch_writable(true);
}

void Transport::resume(Pause reason) noexcept {
  const uint8_t before = gate_;
  gate_ = static_cast<uint8_t>(gate_ & ~static_cast<uint8_t>(reason));
  if (before != 0 && gate_ == 0 && readable_ && is_open()) loop_.schedule_resume(read_task_);
}

void Transport::on_fd_readable(bool closing) {
  readable_ = true;
  closing_ = closing_ || closing;
  if (connecting_) return;
  if (gate_ == 0) return read_burst();
  // What the peer says may wait, that it is gone may not: nobody might open the gate again.
  const int error = socket_.pending_error();
  if (error != 0) fail("connection reset while it was not read", error);
}

void Transport::look_again() {
  readable_ = true;
  if (gate_ == 0) read_burst();
}

// The gate may have closed since this was scheduled: whoever closed it must see no more bytes.
void Transport::read_resumed() {
  if (gate_ == 0) return read_burst();
  if (is_open() && write_error_ != 0) fail("connection reset while writing", write_error_);
}

void Transport::read_burst() {
  for (int reads = 0; reads < limits::kReadsPerTurnMax; ++reads) {
    bool more = false;
    if (!read_once(more)) return;
    if (!more) {
      readable_ = false;
      return;
    }
    if (gate_ != 0) break;
  }
  if (gate_ == 0 || write_error_ != 0) loop_.schedule_resume(read_task_);
}

// One read call. False when this transport must not be touched any more this turn.
bool Transport::read_once(bool& more) {
  if (!is_open() || ended_) return false;
  char* scratch = loop_.read_scratch();
  const ssize_t count = recv(socket_.fd(), scratch, limits::kReadBurstBytes, 0);
  if (count <= 0 && write_error_ != 0) {
    fail("connection reset while writing", write_error_);
    return false;
  }
  if (count < 0) {
    if (errno == EAGAIN) return true;
    if (errno == EINTR) {
      more = true;
      return true;
    }
    fail("connection reset while reading", errno);
    return false;
  }
  if (count == 0) {
    ended_ = true;
    handler_.on_end(true);
    return false;
  }
  if (quickack_) socket_.set_quickack();
  handler_.on_data({scratch, static_cast<size_t>(count)});
  // A short read emptied the socket, unless the peer's close is still to be read: edge-triggered
  // epoll announces new bytes with a new edge (epoll(7)).
  more = static_cast<size_t>(count) == limits::kReadBurstBytes || closing_;
  if (!is_open()) return false;
  if (!more) look_again_.set_ms(kLookAgainMs);
  return true;
}

void Transport::write(std::string_view bytes) {
  if (!is_open() || bytes.empty()) return;
  unsent_.append(bytes);
  output_grew();
}

void Transport::output_grew() {
  if (!takes_output()) {
    if (!keeps_unsent_) unsent_.clear();
    return;
  }
  if (progress_us_ == 0) progress_us_ = loop_.now_us();
  if (unsent_.size() > limits::kPendingBytesHigh) was_high_ = true;
  if (!connecting_) loop_.schedule_flush(flush_task_);
}

void Transport::flush() {
  if (!takes_output() || connecting_) return;
  handler_.before_send();
  if (unsent_.size() > limits::kPendingBytesHigh) was_high_ = true;
  while (!unsent_.empty()) {
    const std::string_view bytes = unsent_.view();
    const ssize_t count = send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return write_failed(errno);
      if (unsent_.size() > limits::kUnsentCipherBytesMax) return fail("too much unsent", 0);
      watcher_.watch_writable(true);
      break;
    }
    progress_us_ = loop_.now_us();
    unsent_.consume(static_cast<size_t>(count));
  }
  if (unsent_.empty()) {
    progress_us_ = 0;
    watcher_.watch_writable(false);
    if (finishing_ && !shut_) {
      shut_ = true;
      was_high_ = true;  // tells the handler below that everything was sent
      socket_.shutdown_write();
    }
  }
  if (was_high_ && unsent_.size() <= limits::kPendingBytesLow) {
    was_high_ = false;
    handler_.on_drained();
  }
}

// The peer is gone, but its last words may wait in the socket: an early answer to a long request.
void Transport::write_failed(int error) {
  if (gate_ != 0 || ended_) return fail("connection reset while writing", error);
  write_error_ = error;
  if (!keeps_unsent_) unsent_.clear();
  progress_us_ = 0;
  watcher_.watch_writable(false);
  readable_ = closing_ = true;
  loop_.schedule_resume(read_task_);
}

void Transport::send_best_effort() noexcept {
  if (!is_open() || unsent_.empty()) return;
  const std::string_view bytes = unsent_.view();
  const ssize_t count = send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count > 0) unsent_.consume(static_cast<size_t>(count));
}

void Transport::on_fd_writable() {
  if (connecting_) {
    const int error = socket_.pending_error();
    if (error != 0) return fail("connection refused", error);
    connecting_ = false;
    watcher_.watch_writable(false);
    handler_.on_connected();
    if (!is_open()) return;
  }
  flush();
}

void Transport::finish() {
  if (finishing_ || !is_open()) return;
  finishing_ = true;
  if (!connecting_) loop_.schedule_flush(flush_task_);
}

void Transport::close() noexcept {
  if (!is_open()) return;
  if (!connecting_) send_best_effort();
  look_again_.clear();
  watcher_.close();
  socket_.close();
  if (!keeps_unsent_) unsent_.clear();
}

std::optional<std::string> Transport::take_back() {
  if (!keeps_unsent_) return std::nullopt;
  std::string out(unsent_.view());
  unsent_.clear();
  return out;
}

void Transport::fail(const char* detail, int sys) {
  const Error error{connecting_ ? ErrorCode::kUpstreamConnect : reset_, detail, sys};
  close();
  handler_.on_error(error);
}

}  // namespace kg::event
