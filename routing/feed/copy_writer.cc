#include "routing/feed/copy_writer.h"

#include <system_error>

#include "proxy/base/log.h"
#include "routing/feed/disk_copy.h"

namespace kg::feed {

CopyWriter::~CopyWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void CopyWriter::save(Content content) {
  {
    const std::lock_guard lock(mutex_);
    waiting_ = std::move(content);
  }
  changed_.notify_one();
  if (thread_.joinable()) return;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    ++failed_;
    log::error("feed", "the last good state is not on disk: {}", error.what());
  }
}

void CopyWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return waiting_ || ending_; });
    if (!waiting_) return;
    {
      const Content content = std::move(*waiting_);
      waiting_.reset();
      lock.unlock();
      const std::string problem = save_copy(file_, secret_, content);
      ++(problem.empty() ? saved_ : failed_);
      if (!problem.empty()) {
        log::error("feed", "the last good state is not on disk: {}", problem);
      }
    }
    lock.lock();
  }
}

}  // namespace kg::feed
