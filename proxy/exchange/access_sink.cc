#include "proxy/exchange/access_sink.h"

#include "proxy/base/limits.h"

namespace kg::exchange {

AccessSink::AccessSink(event::EventLoop& loop, metrics::WorkerMetrics& metrics,
                       metrics::AccessLogWriter* writer)
    : metrics_(metrics), writer_(writer), flush_soon_(loop, [this] { flush(); }) {}

void AccessSink::write(const metrics::AccessRecord& record) {
  if (!enabled()) return;
  if (buffer_.append(record)) {
    flush();
  } else if (!flush_soon_.is_set()) {
    flush_soon_.set_ms(limits::kLogFlushMs);
  }
}

void AccessSink::flush() {
  if (buffer_.empty()) return;
  const uint32_t lines = buffer_.lines();
  if (!writer_->submit(buffer_.take())) metrics_.access_log_dropped.add(lines);
}

}  // namespace kg::exchange
