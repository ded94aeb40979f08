#include "proxy/event/event_loop.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <ctime>
#include <memory>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/base/owned.h"

namespace kg::event {
namespace {

uint64_t read_clock_us(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<uint64_t>(time.tv_nsec) / 1'000;
}

}  // namespace

uint64_t monotonic_us() noexcept { return read_clock_us(CLOCK_MONOTONIC); }
uint64_t wall_us() noexcept { return read_clock_us(CLOCK_REALTIME); }

Task::~Task() {
  if (list_ != nullptr) list_->remove(*this);
}

void TaskList::add(Task& task) noexcept {
  if (task.list_ != nullptr) return;
  task.list_ = this;
  task.previous_ = last_;
  task.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &task;
  last_ = &task;
}

void TaskList::remove(Task& task) noexcept {
  KG_ASSERT(task.list_ == this);
  (task.previous_ != nullptr ? task.previous_->next_ : first_) = task.next_;
  (task.next_ != nullptr ? task.next_->previous_ : last_) = task.previous_;
  task.list_ = nullptr;
  task.next_ = task.previous_ = nullptr;
}

Task* TaskList::pop() noexcept {
  Task* task = first_;
  if (task != nullptr) remove(*task);
  return task;
}

void TaskList::take_all(TaskList& from) noexcept {
  while (Task* task = from.pop()) add(*task);
}

// The read end of post(): an eventfd watched like any other descriptor.
class EventLoop::Wake {
 public:
  explicit Wake(EventLoop& loop)
      : loop_(loop),
        event_(event_new(loop.base_.get(), loop.wake_fd_, EV_READ | EV_PERSIST,
                         &Wake::wake_readable_cb, this)) {
    KG_ASSERT(event_ != nullptr && event_add(event_.get(), nullptr) == 0);
  }

 private:
  static void wake_readable_cb(int fd, short, void* self) noexcept {
    eventfd_t count = 0;
    eventfd_read(fd, &count);
    static_cast<Wake*>(self)->loop_.run_posted();
  }
  EventLoop& loop_;
  Owned<::event, event_free> event_;
};

void EventLoop::BaseFree::operator()(event_base* base) const noexcept { event_base_free(base); }

EventLoop::BaseHandle EventLoop::make_base() {
  Owned<event_config, event_config_free> config(event_config_new());
  KG_ASSERT(config != nullptr);
  // One thread touches this base; post() has a lock of its own.
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_NOLOCK);
  event_config_require_features(config.get(), EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
  BaseHandle base(event_base_new_with_config(config.get()));
  KG_ASSERT(base != nullptr);
  return base;
}

EventLoop::EventLoop()
    : base_(make_base()),
      thread_(std::this_thread::get_id()),
      read_scratch_(std::make_unique_for_overwrite<char[]>(limits::kReadBurstBytes)),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  KG_ASSERT(wake_fd_ >= 0);
  wake_ = std::make_unique<Wake>(*this);
}

EventLoop::~EventLoop() {
  deferred_.clear();
  posted_.clear();
  wake_.reset();
  ::close(wake_fd_);
}

void EventLoop::run() {
  thread_ = std::this_thread::get_id();
  stopping_ = false;
  while (!stopping_) turn();
}

void EventLoop::turn() {
  const bool busy = !resumes_.empty();
  now_us_ = 0;
  turn_started_us_ = 0;
  event_base_loop(base_.get(), EVLOOP_ONCE | (busy ? EVLOOP_NONBLOCK : 0));
  settle();
}

void EventLoop::settle() {
  TaskList now;
  now.take_all(resumes_);
  while (Task* task = now.pop()) task->run_task();
  while (Task* task = flushes_.pop()) task->run_task();
  while (!deferred_.empty()) {
    const std::vector<std::unique_ptr<Deferred>> dying = std::exchange(deferred_, {});
  }
  if (turn_started_us_ != 0 && on_slow_turn_) {
    const uint64_t took = monotonic_us() - turn_started_us_;
    if (took > uint64_t{limits::kTurnWarnMs} * 1'000) on_slow_turn_(took);
  }
}

uint64_t EventLoop::now_us() noexcept {
  if (now_us_ == 0) {
    now_us_ = monotonic_us();
    turn_started_us_ = now_us_;
  }
  return now_us_;
}

void EventLoop::post(std::function<void()> work) {
  bool first = false;
  {
    const std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(work));
  }
  if (first) eventfd_write(wake_fd_, 1);
}

void EventLoop::run_posted() {
  std::vector<std::function<void()>> ready;
  {
    const std::lock_guard lock(posted_mutex_);
    ready.swap(posted_);
  }
  for (const auto& work : ready) work();
}

void EventLoop::stop_from_any_thread() {
  post([this] { stop(); });
}

void EventLoop::schedule_resume(Task& task) noexcept { resumes_.add(task); }
void EventLoop::schedule_flush(Task& task) noexcept { flushes_.add(task); }

void EventLoop::defer_delete(std::unique_ptr<Deferred> object) {
  if (object != nullptr) deferred_.push_back(std::move(object));
}

}  // namespace kg::event
