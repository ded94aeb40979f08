#include "metrics/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <utility>

#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::metrics {
namespace {

constexpr auto kRetry = std::chrono::milliseconds(kLogRetryMs);

// std::strerror is not safe on threads.
std::string reason(int error) { return std::generic_category().message(error); }

// Non-blocking, so that a FIFO without a reader is an error now rather than a hang.
int open_file(const std::string& path) noexcept {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
}

}  // namespace

class LogWriter::Queue {
 public:
  // Takes the descriptor. An empty path cannot be reopened.
  Queue(const char* name, std::string path, int fd)
      : name_(name), path_(std::move(path)), fd_(fd) {}
  ~Queue() { ::close(fd_); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  bool submit(std::string chunk);
  void reopen();
  void run();  // the thread
  // True when the thread is past its last use of the sink, false when it hangs there.
  bool end();

 private:
  void write_chunk(const std::string& chunk);
  // After a write that took nothing. False to give the chunk up.
  bool wait_after(int error, const std::string& chunk, size_t& at);
  void reopen_file();

  const char* const name_;  // a literal
  const std::string path_;
  int fd_;                // the thread's
  bool failing_ = false;  // the thread's: the failure is logged once

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<std::string> chunks_;
  size_t queued_bytes_ = 0;  // with the chunk that is being written
  bool reopen_ = false;
  bool stopping_ = false;
  bool abandoned_ = false;
  bool done_ = false;
};

bool LogWriter::Queue::submit(std::string chunk) {
  {
    const std::lock_guard lock(mutex_);
    if (queued_bytes_ + chunk.size() > limits::kLogQueueBytesMax) return false;
    queued_bytes_ += chunk.size();
    chunks_.push_back(std::move(chunk));
  }
  wake_.notify_one();
  return true;
}

void LogWriter::Queue::reopen() {
  if (path_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    reopen_ = true;
  }
  wake_.notify_one();
}

void LogWriter::Queue::run() {
  // Signals belong to the control thread; a blocked SIGPIPE leaves EPIPE as the answer.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || reopen_ || !chunks_.empty(); });
    if (std::exchange(reopen_, false)) {
      lock.unlock();
      reopen_file();
      lock.lock();
    }
    if (abandoned_ || (stopping_ && chunks_.empty())) break;
    if (chunks_.empty()) continue;
    const std::string chunk = std::move(chunks_.front());
    chunks_.pop_front();
    lock.unlock();
    write_chunk(chunk);
    lock.lock();
    queued_bytes_ -= chunk.size();
  }
  done_ = true;
  ended_.notify_all();
}

bool LogWriter::Queue::end() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
  const auto done = [this] { return done_; };
  if (!ended_.wait_for(lock, std::chrono::milliseconds(kLogEndMs), done)) abandoned_ = true;
  return done_;
}

void LogWriter::Queue::write_chunk(const std::string& chunk) {
  size_t at = 0;
  while (at < chunk.size()) {
    const ssize_t count = ::write(fd_, chunk.data() + at, chunk.size() - at);
    if (count > 0) {
      at += static_cast<size_t>(count);
      if (std::exchange(failing_, false)) log::info("log", "writing again log=\"{}\"", name_);
    } else if (!wait_after(count < 0 ? errno : EIO, chunk, at)) {
      return;
    }
  }
}

bool LogWriter::Queue::wait_after(int error, const std::string& chunk, size_t& at) {
  if (error == EAGAIN || error == EINTR) {
    pollfd sink{fd_, POLLOUT, 0};
    ::poll(&sink, 1, static_cast<int>(kLogRetryMs));
  }
  std::unique_lock lock(mutex_);
  if (error != EAGAIN && error != EINTR) {
    if (stopping_) return false;
    if (!std::exchange(failing_, true)) {
      log::warn("log", "cannot write, lines wait and are then dropped log=\"{}\" error=\"{}\"",
                name_, reason(error));
    }
    wake_.wait_for(lock, kRetry, [this] { return stopping_ || reopen_; });
  }
  if (abandoned_) return false;
  if (!std::exchange(reopen_, false)) return true;
  lock.unlock();
  reopen_file();
  // The new file begins with a whole line.
  if (at > 0) at = chunk.rfind('\n', at - 1) + 1;
  return true;
}

void LogWriter::Queue::reopen_file() {
  const int fd = open_file(path_);
  if (fd < 0) {
    log::warn("log", "cannot reopen, keeping the old file log=\"{}\" path={} error=\"{}\"", name_,
              path_, reason(errno));
    return;
  }
  ::close(std::exchange(fd_, fd));
}

std::unique_ptr<LogWriter> LogWriter::open(const char* name, const std::string& path,
                                           std::string& error) {
  error.clear();
  if (path == "off") return std::unique_ptr<LogWriter>(new LogWriter(nullptr));
  const bool is_stdout = path == "stdout";
  const int fd = is_stdout ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : open_file(path);
  if (fd < 0) {
    const int cause = errno;
    error = "cannot open the " + std::string(name) + " " + path + ": " + reason(cause);
    return nullptr;
  }
  auto queue = std::make_shared<Queue>(name, is_stdout ? "" : path, fd);
  try {
    return std::unique_ptr<LogWriter>(new LogWriter(std::move(queue)));
  } catch (const std::system_error& failure) {
    error = "cannot start the thread of the " + std::string(name) + ": " + failure.what();
    return nullptr;
  }
}

LogWriter::LogWriter(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {
  if (queue_ != nullptr) thread_ = std::thread([shared = queue_] { shared->run(); });
}

LogWriter::~LogWriter() {
  if (queue_ == nullptr) return;
  if (queue_->end()) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

bool LogWriter::submit(std::string chunk) {
  return queue_ == nullptr || chunk.empty() || queue_->submit(std::move(chunk));
}

void LogWriter::reopen() {
  if (queue_ != nullptr) queue_->reopen();
}

}  // namespace kg::metrics
