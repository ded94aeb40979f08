#include "proxy/exchange/launch_board.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proxy/base/limits.h"
#include "tests/unit/event/loop_support.h"

namespace kg::exchange::launch_board_test {

uint64_t launches(const metrics::WorkerMetrics& metrics) {
  uint64_t count = 0;
  for (size_t i = 0; i <= metrics::kLatencyBoundsUs.size(); ++i) {
    count += metrics.kernel_launch.bucket(i);
  }
  return count;
}

std::string kernel(int n) { return "kernel-" + std::to_string(n); }

class LaunchBoardAlone : public testing::Test {
 protected:
  LaunchBoardAlone() { board_.add_seat(loop_, metrics_); }
  event::EventLoop loop_;
  metrics::WorkerMetrics metrics_{1};
  LaunchBoard board_;
};

TEST_F(LaunchBoardAlone, MeasuresFromThePostToTheFirstWebSocket) {
  const uint64_t asked_us = event::monotonic_us() - 2'000'000;
  board_.launched(kernel(1), asked_us);
  EXPECT_EQ(launches(metrics_), 0U);
  board_.connected(kernel(1));
  EXPECT_EQ(launches(metrics_), 1U);
  EXPECT_GE(metrics_.kernel_launch.sum_us(), 2'000'000U);
  EXPECT_LT(metrics_.kernel_launch.sum_us(), 60'000'000U);
  board_.connected(kernel(1));
  EXPECT_EQ(launches(metrics_), 1U) << "a second WebSocket is no launch";
}

TEST_F(LaunchBoardAlone, ForgetsNobodyAndInventsNobody) {
  board_.connected("never-launched");
  EXPECT_EQ(launches(metrics_), 0U);
  board_.launched(kernel(1), event::monotonic_us());
  board_.connected(kernel(2));
  EXPECT_EQ(launches(metrics_), 0U);
}

TEST_F(LaunchBoardAlone, IsBounded) {
  const uint64_t now = event::monotonic_us();
  constexpr int kLaunchesOpenMax = 4'096;
  for (int i = 0; i < kLaunchesOpenMax + 10; ++i) board_.launched(kernel(i), now);
  for (int i = 0; i < kLaunchesOpenMax + 10; ++i) board_.connected(kernel(i));
  EXPECT_EQ(launches(metrics_), static_cast<uint64_t>(kLaunchesOpenMax));
}

// Each seat belongs to a loop of its own thread, as workers have them.
TEST(LaunchBoard, WorkersMeetAtTheKernelsHome) {
  constexpr int kKernels = 200;
  constexpr size_t kWorkers = 2;
  struct Worker {
    event::EventLoop loop;
    metrics::WorkerMetrics metrics{1};
    std::thread thread;
  };
  std::vector<Worker> workers(kWorkers);  // not on the stack, which may align to less
  LaunchBoard board;
  for (Worker& worker : workers) board.add_seat(worker.loop, worker.metrics);
  for (Worker& worker : workers) {
    worker.thread = std::thread([&worker] { worker.loop.run(); });
  }
  const uint64_t asked_us = event::monotonic_us() - 1'000;
  // The 201 passes one worker and, after it, the 101 the other one.
  for (int i = 0; i < kKernels; ++i) {
    Worker& first = workers[static_cast<size_t>(i) % kWorkers];
    Worker& second = workers[static_cast<size_t>(i + 1) % kWorkers];
    first.loop.post([&board, &second, i, asked_us] {
      board.launched(kernel(i), asked_us);
      second.loop.post([&board, i] { board.connected(kernel(i)); });
    });
  }
  event::EventLoop own;
  EXPECT_TRUE(event::run_until(own, [&] {
    return launches(workers[0].metrics) + launches(workers[1].metrics) == kKernels;
  }));
  for (Worker& worker : workers) {
    worker.loop.stop_from_any_thread();
    worker.thread.join();
    EXPECT_GT(launches(worker.metrics), 0U) << "kernels have homes everywhere";
  }
}

}  // namespace kg::exchange::launch_board_test
