// AccessSink: a worker's end of the access log: fills its buffer, hands it over in bulk.
#pragma once

#include "metrics/access_log.h"
#include "metrics/worker_metrics.h"
#include "proxy/event/watcher.h"

namespace kg::exchange {

class AccessSink {
 public:
  // `writer` null: the access log is off.
  AccessSink(event::EventLoop& loop, metrics::WorkerMetrics& metrics,
             metrics::AccessLogWriter* writer);
  bool enabled() const noexcept { return writer_ != nullptr; }
  void write(const metrics::AccessRecord& record);
  void flush();

 private:
  metrics::WorkerMetrics& metrics_;
  metrics::AccessLogWriter* writer_;
  metrics::AccessLogBuffer buffer_;
  event::Deadline flush_soon_;
};

}  // namespace kg::exchange
