#include "bench/load/load_run.h"

#include <chrono>
#include <utility>

namespace kg::bench {

namespace {

constexpr int kRemoveAttempts = 3;
constexpr std::chrono::milliseconds kRemovePause{500};

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// After these the kernel is still there to be asked again; after any other the connection is not.
bool connection_survives(const Failure& failure) {
  return failure.kind == "error reply" || failure.kind == "wrong result";
}

// Nothing was sent: no kernel can have come of it.
bool never_reached(const Failure& failure) {
  return failure.kind == "resolve" || failure.kind == "connect" || failure.kind == "tls" ||
         failure.kind.starts_with("status ");
}

}  // namespace

LoadRun::LoadRun(const Target& target, const LoadPlan& plan, const Stop& stop)
    : target_(target), plan_(plan), stop_(stop) {}

LoadRun::~LoadRun() {
  for (std::thread& thread : threads_) thread.join();
}

void LoadRun::start() {
  threads_.reserve(static_cast<size_t>(plan_.kernels));
  for (int i = 0; i < plan_.kernels; ++i) threads_.emplace_back([this] { drive_kernel(); });
}

std::vector<std::string> LoadRun::live_kernels() const {
  const std::lock_guard lock(mutex_);
  return {live_.begin(), live_.end()};
}

LoadResult LoadRun::finish() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  result_.kernels_started = kernels_started_;
  result_.left = live_kernels();
  result_.seconds = ms_since(began_) / 1000;
  return std::move(result_);
}

void LoadRun::count_error(const std::string& step, const Failure& failure) {
  if (failure.kind == "interrupted") return;  // the user's wish, reported as such
  const std::lock_guard lock(mutex_);
  ErrorCount& error = result_.errors[step + ": " + failure.kind];
  if (error.count++ == 0) error.example = failure.detail;
}

void LoadRun::drive_kernel() noexcept {
  if (stop_.requested()) {
    ++kernels_finished_;
    return;
  }
  KernelClient kernel(target_, plan_.wish, stop_);
  Clock::time_point begin = Clock::now();
  auto started = kernel.start();
  if (!started) {
    count_error("start", started.failure());
    if (!never_reached(started.failure())) {
      const std::lock_guard lock(mutex_);
      ++result_.perhaps_left;
    }
    ++kernels_finished_;
    return;
  }
  ++kernels_started_;
  {
    const std::lock_guard lock(mutex_);
    result_.start_ms.push_back(ms_since(begin));
    live_.insert(kernel.id());
  }
  begin = Clock::now();
  auto connected = kernel.connect();
  if (connected) {
    {
      const std::lock_guard lock(mutex_);
      result_.connect_ms.push_back(ms_since(begin));
    }
    run_cells(kernel);
  } else {
    count_error("connect", connected.failure());
  }
  remove(kernel);
  ++kernels_finished_;
}

void LoadRun::run_cells(KernelClient& kernel) {
  for (int i = 0; i < plan_.cells && !stop_.requested(); ++i) {
    const Clock::time_point begin = Clock::now();
    auto ran = kernel.run_cell(plan_.cell);
    const double elapsed_ms = ms_since(begin);
    if (!ran) {
      count_error("cell", ran.failure());
      ++cells_done_;
      if (connection_survives(ran.failure())) continue;
      return;
    }
    ++cells_done_;
    const std::lock_guard lock(mutex_);
    ++result_.cells_right;
    result_.cell_ms.push_back(elapsed_ms);
  }
}

void LoadRun::remove(KernelClient& kernel) {
  const std::string id = kernel.id();
  for (int attempt = 1;; ++attempt) {
    auto removed = kernel.remove();
    if (removed) {
      const std::lock_guard lock(mutex_);
      live_.erase(id);
      return;
    }
    if (attempt == kRemoveAttempts) {
      count_error("delete", removed.failure());
      return;
    }
    rest(kRemovePause, nullptr);  // also when stopped: a kernel is not to be left behind
  }
}

}  // namespace kg::bench
