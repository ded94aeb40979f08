// Access log: one JSON line per exchange, formatted on the worker into its own buffer and handed
// over in bulk to one writer thread. A slow disk or pipe never blocks a worker.
//
// AccessRecord: views that live as long as the call. metrics/README.md documents each field; there
//   is none for query, credential or body. Strings are cut to kLogFieldBytesMax.
// AccessLogBuffer: one per worker, not thread-safe. The worker flushes when append() says so
//   (kLogFlushBytes) and by a timer kLogFlushMs after the first line of a batch.
// AccessLogWriter: one per process; submit() from any thread. Bounded by kLogQueueBytesMax: beyond
//   it chunks are dropped, and submit() returns false so that the worker counts the lines. A write
//   that fails (disk full, pipe closed) is tried again every kLogRetryMs, so what cannot be written
//   ends in that count too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace kg::metrics {

inline constexpr size_t kLogFieldBytesMax = 1024;  // a client fills heads of 96 KiB, not our disk
inline constexpr uint32_t kLogRetryMs = 1'000;     // after a failed write
inline constexpr uint32_t kLogEndMs = 2'000;  // what the end of the process waits for a slow sink

struct AccessRecord {
  uint64_t time_us = 0;  // since the epoch: request head complete
  std::string_view request_id;
  std::string_view trace_id;
  std::string_view client;              // address:port of the peer
  std::string_view forwarded_for;       // the ALB's client when the peer is trusted
  std::string_view client_certificate;  // subject, RFC 4514
  std::string_view endpoint;
  std::string_view virtual_cluster;
  std::string_view operation;
  std::string_view method;
  std::string_view host;
  std::string_view path;  // without query: queries may hold secrets
  std::string_view kernel;
  std::string_view spec;
  std::string_view pod;
  std::string_view subject;
  std::string_view realm;
  std::string_view role;
  std::string_view log_context;
  std::string_view error;   // error label, "" if none
  std::string_view detail;  // Error::detail
  std::string_view user_agent;
  uint16_t status = 0;         // sent to the client; 0: none
  uint16_t close_code = 0;     // WebSocket: the code that ended it; 0: not a WebSocket
  std::string_view closed_by;  // "client", "upstream", "proxy"
  uint64_t bytes_in = 0;       // body or frames from the client
  uint64_t bytes_out = 0;
  uint64_t messages_in = 0;
  uint64_t messages_out = 0;
  uint64_t first_byte_us = 0;
  uint64_t total_us = 0;
  uint64_t upstream_connect_us = 0;
  bool websocket = false;
  bool tls_resumed = false;
  bool upstream_reused = false;
};

class AccessLogBuffer {
 public:
  // Returns true when the buffer wants to be taken.
  bool append(const AccessRecord& record);
  bool empty() const noexcept { return bytes_.empty(); }
  uint32_t lines() const noexcept { return lines_; }
  std::string take();

 private:
  std::string bytes_;
  uint32_t lines_ = 0;
  size_t expected_bytes_ = 0;  // as large as the last batch: growing step by step costs page faults
  uint64_t second_ = 0;  // the formatted second is reused: formatting time costs more than the rest
  std::string second_text_;
};

class AccessLogWriter {
 public:
  // "stdout", "off" (takes and forgets everything) or a file (created 0640, appended to). Null on
  // failure, and error is a sentence; else error is "".
  static std::unique_ptr<AccessLogWriter> open(const std::string& path, std::string& error);
  ~AccessLogWriter();  // writes what is queued (waits kLogEndMs at most), then ends the thread
  AccessLogWriter(const AccessLogWriter&) = delete;
  AccessLogWriter& operator=(const AccessLogWriter&) = delete;
  bool submit(std::string chunk);
  void reopen();  // SIGUSR1, after logrotate; keeps the old file when the new one cannot be opened

 private:
  // Shared with the thread, which may outlive the writer while a write to a dead disk or pipe
  // hangs.
  class Queue;
  explicit AccessLogWriter(std::shared_ptr<Queue> queue);

  std::shared_ptr<Queue> queue_;  // null when off
  std::thread thread_;
};

}  // namespace kg::metrics
