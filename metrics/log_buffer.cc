#include "metrics/log_buffer.h"

#include <chrono>
#include <utility>

#include "metrics/json_line.h"
#include "proxy/base/limits.h"

namespace kg::metrics {
namespace {

// "2026-01-31T23:59:59"
std::string format_second(uint64_t second) {
  using std::chrono::days;
  using std::chrono::seconds;
  const std::chrono::sys_seconds time{seconds(static_cast<int64_t>(second))};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::string text;
  const auto append = [&text](unsigned value, unsigned unit, char after) {
    for (; unit > 0; unit /= 10) text.push_back(static_cast<char>('0' + value / unit % 10));
    if (after != 0) text.push_back(after);
  };
  append(static_cast<unsigned>(static_cast<int>(date.year())), 1000, '-');
  append(static_cast<unsigned>(date.month()), 10, '-');
  append(static_cast<unsigned>(date.day()), 10, 'T');
  append(static_cast<unsigned>(clock.hours().count()), 10, ':');
  append(static_cast<unsigned>(clock.minutes().count()), 10, ':');
  append(static_cast<unsigned>(clock.seconds().count()), 10, 0);
  return text;
}

}  // namespace

std::string& LogBuffer::begin() {
  if (bytes_.empty()) bytes_.reserve(expected_bytes_ + 2 * kLogFieldBytesMax);
  return bytes_;
}

void LogBuffer::append_time(Line& line, uint64_t time_us) {
  const uint64_t second = time_us / kMicrosPerSecond;
  if (second != second_ || second_text_.empty()) {
    second_ = second;
    second_text_ = format_second(second);
  }
  line.raw("{\"time\":\"");
  line.raw(second_text_);
  line.micros(time_us % kMicrosPerSecond);
  line.raw("Z\"");
}

bool LogBuffer::end(Line& line) {
  line.raw("}\n");
  line.flush();
  ++lines_;
  return bytes_.size() >= limits::kLogFlushBytes;
}

std::string LogBuffer::take() {
  lines_ = 0;
  expected_bytes_ = bytes_.size();
  return std::exchange(bytes_, {});
}

}  // namespace kg::metrics
