// CopyWriter: writes the copy on disk (disk_copy.h) by a thread of its own, so that no loop waits
// for a disk.
//
// Owner:  the Subscriber. Thread: save() and the end on one; counts on any. The thread begins with
// the first save(). Limits: one state is being written and one waits, the newest.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "proxy/base/secret.h"
#include "routing/feed/message.h"

namespace kg::feed {

class CopyWriter {
 public:
  CopyWriter(std::string file, Secret secret)
      : file_(std::move(file)), secret_(std::move(secret)) {}
  ~CopyWriter();  // what waits is written first
  CopyWriter(const CopyWriter&) = delete;
  CopyWriter& operator=(const CopyWriter&) = delete;

  void save(Content content);
  uint64_t saved() const noexcept { return saved_.load(std::memory_order_relaxed); }
  uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

 private:
  void run();

  const std::string file_;
  const Secret secret_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Content> waiting_;
  bool ending_ = false;
  std::atomic<uint64_t> saved_{0};
  std::atomic<uint64_t> failed_{0};
  std::thread thread_;
};

}  // namespace kg::feed
