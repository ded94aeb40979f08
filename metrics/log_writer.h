// LogWriter: the thread that writes a log, so that a slow disk or pipe never blocks a worker.
//
// submit() from any thread. Bounded by kLogQueueBytesMax: beyond it chunks are dropped, and
// submit() returns false so that the caller counts the lines. A write that fails (disk full, pipe
// closed) is tried again every kLogRetryMs, so what cannot be written ends in that count too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace kg::metrics {

inline constexpr uint32_t kLogRetryMs = 1'000;  // after a failed write
inline constexpr uint32_t kLogEndMs = 2'000;    // what the end of the process waits for a slow sink

class LogWriter {
 public:
  // "stdout", "off" (takes and forgets everything) or a file (created 0640, appended to). Null on
  // failure, and error is a sentence; else error is "". `name` stands in messages: "access log".
  static std::unique_ptr<LogWriter> open(const char* name, const std::string& path,
                                         std::string& error);
  ~LogWriter();  // writes what is queued (waits kLogEndMs at most), then ends the thread
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  bool submit(std::string chunk);
  void reopen();  // SIGUSR1, after logrotate; keeps the old file when the new one cannot be opened

 private:
  // Shared with the thread, which may outlive the writer while a write to a dead disk or pipe
  // hangs.
  class Queue;
  explicit LogWriter(std::shared_ptr<Queue> queue);

  std::shared_ptr<Queue> queue_;  // null when off
  std::thread thread_;
};

}  // namespace kg::metrics
