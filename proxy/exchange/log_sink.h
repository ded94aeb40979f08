// LogSink: a worker's end of a log: fills its buffer, hands it over in bulk.
//
// Owner: whoever runs the loop; its thread only. Lines that the writer does not take count in
// `dropped`.
#pragma once

#include <utility>

#include "metrics/access_log.h"
#include "metrics/audit_log.h"
#include "metrics/log_writer.h"
#include "metrics/worker_metrics.h"
#include "proxy/base/limits.h"
#include "proxy/event/watcher.h"

namespace kg::exchange {

template <class Buffer>
class LogSink {
 public:
  // `writer` null: the log is off.
  LogSink(event::EventLoop& loop, metrics::Cell& dropped, metrics::LogWriter* writer,
          Buffer buffer = {})
      : dropped_(dropped),
        writer_(writer),
        buffer_(std::move(buffer)),
        flush_soon_(loop, [this] { flush(); }) {}

  bool enabled() const noexcept { return writer_ != nullptr; }

  void write(const typename Buffer::Record& record) {
    if (!enabled()) return;
    if (buffer_.append(record)) {
      flush();
    } else if (!flush_soon_.is_set()) {
      flush_soon_.set_ms(limits::kLogFlushMs);
    }
  }

  void flush() {
    if (buffer_.empty()) return;
    const uint32_t lines = buffer_.lines();
    if (!writer_->submit(buffer_.take())) dropped_.add(lines);
  }

 private:
  metrics::Cell& dropped_;
  metrics::LogWriter* writer_;
  Buffer buffer_;
  event::Deadline flush_soon_;
};

using AccessSink = LogSink<metrics::AccessLogBuffer>;
using AuditSink = LogSink<metrics::AuditLogBuffer>;

}  // namespace kg::exchange
