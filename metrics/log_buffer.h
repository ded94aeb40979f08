// LogBuffer: lines of JSON that one thread wrote and has not handed over yet. What the buffers of
// all logs have in common; AccessLogBuffer and AuditLogBuffer know their fields.
//
// Owner: one thread's log sink; not thread-safe. It flushes when append() says so (kLogFlushBytes)
// and by a timer kLogFlushMs after the first line of a batch. Strings are cut to kLogFieldBytesMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace kg::metrics {

inline constexpr size_t kLogFieldBytesMax = 1024;  // a client fills heads of 96 KiB, not our disk

class Line;

class LogBuffer {
 public:
  bool empty() const noexcept { return bytes_.empty(); }
  uint32_t lines() const noexcept { return lines_; }
  std::string take();

 protected:
  std::string& begin();
  void append_time(Line& line, uint64_t time_us);
  // True when the buffer wants to be taken.
  bool end(Line& line);

 private:
  std::string bytes_;
  uint32_t lines_ = 0;
  size_t expected_bytes_ = 0;  // as large as the last batch: growing step by step costs page faults
  uint64_t second_ = 0;  // the formatted second is reused: formatting time costs more than the rest
  std::string second_text_;
};

}  // namespace kg::metrics
