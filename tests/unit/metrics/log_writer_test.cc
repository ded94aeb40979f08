#include "metrics/log_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "proxy/base/limits.h"

namespace kg::metrics::log_writer_test {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& check) {
  const auto end = Clock::now() + 10s;
  while (!check()) {
    if (Clock::now() > end) return false;
    ::poll(nullptr, 0, 2);  // ms between looks
  }
  return true;
}

std::string content(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

size_t thread_count() {
  const fs::directory_iterator tasks("/proc/self/task");
  return static_cast<size_t>(std::distance(begin(tasks), end(tasks)));
}

// The operational log of this scope goes to a file.
class StderrTo {
 public:
  explicit StderrTo(const fs::path& path) : saved_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    EXPECT_EQ(::dup2(fd, STDERR_FILENO), STDERR_FILENO);
    ::close(fd);
  }
  ~StderrTo() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
  }
  StderrTo(const StderrTo&) = delete;
  StderrTo& operator=(const StderrTo&) = delete;

 private:
  int saved_;
};

class LogWriterTest : public ::testing::Test {
 protected:
  LogWriterTest() {
    std::string pattern = fs::temp_directory_path() / "kernelgate-log-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~LogWriterTest() override { fs::remove_all(folder_); }

  std::unique_ptr<LogWriter> open(const fs::path& path) {
    std::string error;
    auto writer = LogWriter::open("access log", path, error);
    EXPECT_EQ(error, "");
    return writer;
  }

  // A pipe that takes 64 KiB and is read when the test wants it.
  int make_pipe(const fs::path& path) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    EXPECT_GE(fd, 0);
    return fd;
  }

  fs::path folder_;
};

TEST_F(LogWriterTest, AppendsToAFile) {
  const fs::path path = folder_ / "log";
  std::ofstream(path) << "before\n";
  {
    auto writer = open(path);
    EXPECT_TRUE(writer->submit("one\n"));
    EXPECT_TRUE(writer->submit(""));
    EXPECT_TRUE(writer->submit("two\n"));
  }
  EXPECT_EQ(content(path), "before\none\ntwo\n");
}

TEST_F(LogWriterTest, CreatesAFileThatOthersCannotRead) {
  open(folder_ / "log");
  struct stat status {};
  ASSERT_EQ(::stat((folder_ / "log").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0137, 0u);
}

TEST_F(LogWriterTest, SaysWhyAFileCannotBeOpened) {
  std::string error;
  EXPECT_EQ(LogWriter::open("access log", folder_ / "none" / "log", error), nullptr);
  EXPECT_THAT(error, HasSubstr("none/log: No such file or directory"));
}

TEST_F(LogWriterTest, OffTakesEverything) {
  auto writer = open("off");
  EXPECT_TRUE(writer->submit(std::string(limits::kLogQueueBytesMax + 1, 'x')));
  writer->reopen();
  EXPECT_FALSE(fs::exists("off"));
}

TEST_F(LogWriterTest, StdoutIsWrittenAndStaysOpen) {
  ::testing::internal::CaptureStdout();
  {
    auto writer = open("stdout");
    writer->reopen();
    EXPECT_TRUE(writer->submit("line\n"));
  }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "line\n");
  EXPECT_GE(::fcntl(STDOUT_FILENO, F_GETFD), 0);
}

TEST_F(LogWriterTest, ReopensAfterRename) {
  const fs::path path = folder_ / "log";
  auto writer = open(path);
  writer->submit("one\n");
  ASSERT_TRUE(eventually([&] { return content(path) == "one\n"; }));
  fs::rename(path, folder_ / "log.1");
  writer->submit("two\n");
  ASSERT_TRUE(eventually([&] { return content(folder_ / "log.1") == "one\ntwo\n"; }));
  writer->reopen();
  ASSERT_TRUE(eventually([&] { return fs::exists(path); }));
  writer->submit("three\n");
  EXPECT_TRUE(eventually([&] { return content(path) == "three\n"; }));
  EXPECT_EQ(content(folder_ / "log.1"), "one\ntwo\n");
}

TEST_F(LogWriterTest, KeepsTheOldFileWhenTheNewOneCannotBeOpened) {
  const fs::path inner = folder_ / "inner";
  fs::create_directory(inner);
  auto writer = open(inner / "log");
  fs::rename(inner, folder_ / "moved");
  writer->reopen();
  writer->submit("line\n");
  EXPECT_TRUE(eventually([&] { return content(folder_ / "moved" / "log") == "line\n"; }));
}

TEST_F(LogWriterTest, AStalledPipeFillsABoundedQueueAndLosesNoAcceptedLine) {
  const int reader = make_pipe(folder_ / "pipe");
  auto writer = open(folder_ / "pipe");
  const std::string chunk = std::string(1024 * 1024 - 1, 'x') + "\n";
  size_t accepted = 0;
  while (writer->submit(chunk)) {
    ASSERT_LE(++accepted * chunk.size(), limits::kLogQueueBytesMax + chunk.size());
  }
  EXPECT_GE(accepted * chunk.size(), limits::kLogQueueBytesMax - chunk.size());
  size_t received = 0;
  std::string scratch(256 * 1024, '\0');
  EXPECT_TRUE(eventually([&] {
    for (ssize_t count = 0; (count = ::read(reader, scratch.data(), scratch.size())) > 0;) {
      received += static_cast<size_t>(count);
    }
    return received == accepted * chunk.size();
  }));
  EXPECT_TRUE(eventually([&] { return writer->submit(chunk); }));
  ::close(reader);
}

TEST_F(LogWriterTest, EndsInTimeOnAStalledPipe) {
  const size_t threads_before = thread_count();
  const int reader = make_pipe(folder_ / "pipe");
  auto writer = open(folder_ / "pipe");
  writer->submit(std::string(1024 * 1024, 'x'));
  const auto start = Clock::now();
  writer.reset();
  const auto took = Clock::now() - start;
  EXPECT_GE(took, 1900ms);
  EXPECT_LT(took, 4s);
  ::close(reader);
  // So that leak checks see the abandoned thread gone.
  EXPECT_TRUE(eventually([&] { return thread_count() == threads_before; }));
}

TEST_F(LogWriterTest, SurvivesAPipeWithoutReaderAndWritesOnceThereIsOneAgain) {
  const int reader = make_pipe(folder_ / "pipe");
  auto writer = open(folder_ / "pipe");
  ::close(reader);
  {
    const fs::path log = folder_ / "stderr";
    const StderrTo redirected(log);
    EXPECT_TRUE(writer->submit("line\n"));
    EXPECT_TRUE(eventually([&] { return content(log).find("cannot write") != std::string::npos; }));
  }
  const int again = ::open((folder_ / "pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  char text[16];
  ssize_t count = 0;
  EXPECT_TRUE(eventually([&] { return (count = ::read(again, text, sizeof text)) > 0; }));
  EXPECT_EQ(std::string_view(text, static_cast<size_t>(count)), "line\n");
  ::close(again);
}

TEST_F(LogWriterTest, ABrokenPipeDoesNotDelayTheEnd) {
  const int reader = make_pipe(folder_ / "pipe");
  auto writer = open(folder_ / "pipe");
  ::close(reader);
  EXPECT_TRUE(writer->submit("line\n"));
  const auto start = Clock::now();
  writer.reset();
  EXPECT_LT(Clock::now() - start, 1s);
}

TEST_F(LogWriterTest, ManyThreadsManyLines) {
  const fs::path path = folder_ / "log";
  {
    auto writer = open(path);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int line = 0; line < 500; ++line) EXPECT_TRUE(writer->submit("0123456789\n"));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(fs::file_size(path), 4u * 500 * 11);
}

}  // namespace kg::metrics::log_writer_test
