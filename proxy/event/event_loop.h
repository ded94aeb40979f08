// EventLoop: one thread's libevent loop, cut into turns.
//
// A turn: libevent dispatches what is ready; then the resumed readers run (tasks scheduled by
// schedule_resume), then the writers (schedule_flush) until none is left, then deferred objects
// die. Owner:  a worker or the control thread. Neither copied nor moved. Thread: all methods on the
// loop's thread, except post() and stop_from_any_thread(). Errors: libevent failing to start ends
// the process: nothing could run without it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

struct event_base;

namespace kg::event {

class FdWatcher;

// Work for the end of a turn. Unlinks itself when destroyed.
class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual ~Task();
  virtual void run_task() = 0;
  bool scheduled() const noexcept { return list_ != nullptr; }

 private:
  friend class TaskList;
  class TaskList* list_ = nullptr;
  Task* next_ = nullptr;
  Task* previous_ = nullptr;
};

class TaskList {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  void add(Task& task) noexcept;
  void remove(Task& task) noexcept;
  Task* pop() noexcept;
  void take_all(TaskList& from) noexcept;

 private:
  Task* first_ = nullptr;
  Task* last_ = nullptr;
};

// What dies only between turns, so that no stack frame below can be holding it.
class Deferred {
 public:
  Deferred() = default;
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  virtual ~Deferred() = default;
};

class EventLoop {
 public:
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  // Runs turns on the calling thread, which becomes the loop's thread, until stop().
  void run();
  void stop() noexcept { stopping_ = true; }
  void stop_from_any_thread();
  // Any thread: runs `work` on the loop's thread in a later turn. Unbounded by itself: callers post
  // at the rate of connections and configurations, never of messages.
  void post(std::function<void()> work);

  // Runs what is scheduled and destroys what was deferred: the end of each turn, and of a loop's
  // life.
  void settle();
  void schedule_resume(Task& task) noexcept;
  void schedule_flush(Task& task) noexcept;
  void defer_delete(std::unique_ptr<Deferred> object);

  // Monotonic microseconds, read once per turn: deadlines. For durations use monotonic_us().
  uint64_t now_us() noexcept;
  // Called with the duration of a turn that took longer than kTurnWarnMs.
  void on_slow_turn(std::function<void(uint64_t us)> callback) {
    on_slow_turn_ = std::move(callback);
  }

  bool in_loop_thread() const noexcept { return std::this_thread::get_id() == thread_.load(); }
  event_base* base() noexcept { return base_.get(); }
  // kReadBurstBytes that a read may fill; valid until the next read of any stream on this loop.
  char* read_scratch() noexcept { return read_scratch_.get(); }

 private:
  void turn();
  void run_posted();

  struct BaseFree {
    void operator()(event_base* base) const noexcept;
  };
  using BaseHandle = std::unique_ptr<event_base, BaseFree>;
  static BaseHandle make_base();

  BaseHandle base_;
  std::atomic<std::thread::id> thread_;  // other threads ask in_loop_thread() while run() begins
  bool stopping_ = false;
  uint64_t now_us_ = 0;
  uint64_t turn_started_us_ = 0;
  TaskList resumes_;
  TaskList flushes_;
  std::vector<std::unique_ptr<Deferred>> deferred_;
  std::unique_ptr<char[]> read_scratch_;
  std::function<void(uint64_t)> on_slow_turn_;
  int wake_fd_ = -1;
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  class Wake;
  std::unique_ptr<Wake> wake_;
};

uint64_t monotonic_us() noexcept;
uint64_t wall_us() noexcept;

}  // namespace kg::event
