#include "proxy/exchange/log_sink.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "proxy/base/limits.h"
#include "tests/unit/event/loop_support.h"

namespace kg::exchange::log_sink_test {

class LogSinkTest : public testing::Test {
 protected:
  LogSinkTest() {
    path_ = testing::TempDir() + "kg-access-XXXXXX";
    const int fd = mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    std::string error;
    writer_ = metrics::LogWriter::open("access log", path_, error);
    EXPECT_NE(writer_, nullptr) << error;
  }
  ~LogSinkTest() override { ::unlink(path_.c_str()); }

  std::string written() const {
    std::ifstream file(path_);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  size_t lines() const {
    const std::string text = written();
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  static metrics::AccessRecord record(std::string_view id) {
    metrics::AccessRecord record;
    record.request_id = id;
    record.status = 200;
    return record;
  }

  std::string path_;
  event::EventLoop loop_;
  metrics::WorkerMetrics metrics_{1};
  std::unique_ptr<metrics::LogWriter> writer_;
};

TEST_F(LogSinkTest, LinesLeaveSoonByThemselves) {
  AccessSink sink(loop_, metrics_.access_log_dropped, writer_.get());
  EXPECT_TRUE(sink.enabled());
  const uint64_t start_us = event::monotonic_us();
  sink.write(record("one"));
  sink.write(record("two"));
  EXPECT_TRUE(event::run_until(loop_, [&] { return lines() == 2; }));
  EXPECT_GE(event::monotonic_us() - start_us, limits::kLogFlushMs * 1'000U) << "in one batch";
  const std::string text = written();
  EXPECT_LT(text.find("\"one\""), text.find("\"two\""));
  EXPECT_EQ(metrics_.access_log_dropped.get(), 0U);
  sink.write(record("three"));
  EXPECT_TRUE(event::run_until(loop_, [&] { return lines() == 3; })) << "the timer serves again";
}

TEST_F(LogSinkTest, FlushHandsOverAtOnce) {
  AccessSink sink(loop_, metrics_.access_log_dropped, writer_.get());
  sink.flush();
  sink.write(record("one"));
  sink.flush();
  sink.flush();
  writer_.reset();  // writes what is queued
  EXPECT_EQ(lines(), 1U);
}

TEST_F(LogSinkTest, AFullBufferDoesNotWaitForTheTimer) {
  AccessSink sink(loop_, metrics_.access_log_dropped, writer_.get());
  const std::string id(500, 'i');
  const size_t enough = limits::kLogFlushBytes / id.size() + 1;
  for (size_t i = 0; i < enough; ++i) sink.write(record(id));
  writer_.reset();
  EXPECT_GT(lines(), 0U);
  EXPECT_GE(written().size(), limits::kLogFlushBytes);
}

TEST_F(LogSinkTest, WithoutAWriterItTakesNothing) {
  AccessSink sink(loop_, metrics_.access_log_dropped, nullptr);
  EXPECT_FALSE(sink.enabled());
  sink.write(record("one"));
  sink.flush();
  EXPECT_EQ(metrics_.access_log_dropped.get(), 0U);
}

}  // namespace kg::exchange::log_sink_test
