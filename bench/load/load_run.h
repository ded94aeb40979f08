// LoadRun drives N kernels at once, one thread each, and leaves none behind.
//
// Owner:  main. Thread: main, but for the threads that it starts itself.
// Ends:   every thread deletes its kernel on every path: done, failed, or stopped.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bench/load/connection.h"
#include "bench/load/kernel_client.h"
#include "bench/load/target.h"

namespace kg::bench {

struct LoadPlan {
  int kernels = 1;
  int cells = 1;  // on each kernel, one after the other
  KernelWish wish;
  Cell cell;
};

struct ErrorCount {
  int count = 0;
  std::string example;  // detail of the first one
};

struct LoadResult {
  int kernels_started = 0;
  int cells_right = 0;
  std::vector<double> start_ms;    // POST to 201, connection and TLS handshake included
  std::vector<double> connect_ms;  // connection to 101, the kernel's own start included
  std::vector<double> cell_ms;     // request to reply and idle, whichever is later; right ones only
  std::map<std::string, ErrorCount> errors;  // "cell: timeout"
  std::vector<std::string> left;             // ids of kernels whose deletion failed
  int perhaps_left = 0;  // launches without an answer: a gateway may have finished them
  double seconds = 0;
};

class LoadRun {
 public:
  // `target`, `plan` and `stop` are borrowed.
  LoadRun(const Target& target, const LoadPlan& plan, const Stop& stop);
  ~LoadRun();
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  void start();
  bool finished() const noexcept { return kernels_finished_ == plan_.kernels; }
  int kernels_started() const noexcept { return kernels_started_; }
  int kernels_finished() const noexcept { return kernels_finished_; }
  int cells_done() const noexcept { return cells_done_; }  // right or wrong
  // Kernels that exist now, as far as we know.
  std::vector<std::string> live_kernels() const;
  // Joins the threads. Once.
  LoadResult finish();

 private:
  void drive_kernel() noexcept;
  void run_cells(KernelClient& kernel);
  void remove(KernelClient& kernel);
  void count_error(const std::string& step, const Failure& failure);

  const Target& target_;
  const LoadPlan& plan_;
  const Stop& stop_;
  const Clock::time_point began_ = Clock::now();
  std::atomic<int> kernels_started_ = 0;
  std::atomic<int> kernels_finished_ = 0;
  std::atomic<int> cells_done_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::set<std::string> live_;
  LoadResult result_;
  std::vector<std::thread> threads_;
};

}  // namespace kg::bench
