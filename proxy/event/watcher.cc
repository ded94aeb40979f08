#include "proxy/event/watcher.h"

#include <event2/event.h>

#include "proxy/base/assert.h"

namespace kg::event {
namespace {

EventHandle make(EventLoop& loop, int fd, int what, event_callback_fn callback, void* self) {
  EventHandle handle(event_new(loop.base(), fd, static_cast<short>(what), callback, self));
  KG_ASSERT(handle != nullptr);
  return handle;
}

timeval to_timeval(uint64_t microseconds) {
  return {static_cast<time_t>(microseconds / 1'000'000),
          static_cast<suseconds_t>(microseconds % 1'000'000)};
}

}  // namespace

void EventFree::operator()(::event* handle) const noexcept { event_free(handle); }

void FdWatcher::watch(int fd) {
  KG_ASSERT(read_ == nullptr);
  read_ = make(loop_, fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, &FdWatcher::fd_ready_cb, this);
  write_ = make(loop_, fd, EV_WRITE | EV_ET | EV_PERSIST, &FdWatcher::fd_ready_cb, this);
  KG_ASSERT(event_add(read_.get(), nullptr) == 0);
}

void FdWatcher::watch_writable(bool on) noexcept {
  if (write_ == nullptr || on == writable_wanted_) return;
  writable_wanted_ = on;
  if (on) {
    event_add(write_.get(), nullptr);
  } else {
    event_del(write_.get());
  }
}

void FdWatcher::close() noexcept {
  read_.reset();
  write_.reset();
  writable_wanted_ = false;
}

void FdWatcher::fd_ready_cb(int, short what, void* self) noexcept {
  auto* watcher = static_cast<FdWatcher*>(self);
  // Writing first: it frees memory. The handler may close the watcher in either call; libevent
  // drops what was pending for a freed event, but this callback still runs for both halves of its
  // own event.
  if ((what & EV_WRITE) != 0) watcher->handler_.on_fd_writable();
  if ((what & (EV_READ | EV_CLOSED)) != 0 && watcher->read_ != nullptr) {
    watcher->handler_.on_fd_readable((what & EV_CLOSED) != 0);
  }
}

ListenWatcher::ListenWatcher(EventLoop& loop, int fd, std::function<void()> on_readable)
    : on_readable_(std::move(on_readable)),
      event_(make(loop, fd, EV_READ | EV_PERSIST, &ListenWatcher::listen_ready_cb, this)) {
  resume();
}
void ListenWatcher::pause() noexcept { event_del(event_.get()); }
void ListenWatcher::resume() noexcept { event_add(event_.get(), nullptr); }
void ListenWatcher::listen_ready_cb(int, short, void* self) noexcept {
  static_cast<ListenWatcher*>(self)->on_readable_();
}

void LevelWatcher::want(bool readable, bool writable) {
  event_.reset();
  if (!readable && !writable) return;
  const int what = (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST;
  event_ = make(loop_, fd_, what, &LevelWatcher::level_ready_cb, this);
  KG_ASSERT(event_add(event_.get(), nullptr) == 0);
}

void LevelWatcher::level_ready_cb(int, short what, void* self) noexcept {
  static_cast<LevelWatcher*>(self)->on_ready_((what & EV_READ) != 0, (what & EV_WRITE) != 0);
}

Timer::Timer(EventLoop& loop, std::function<void()> on_fire)
    : on_fire_(std::move(on_fire)), event_(make(loop, -1, EV_TIMEOUT, &Timer::timer_cb, this)) {}
void Timer::arm_ms(uint64_t milliseconds) noexcept {
  const timeval after = to_timeval(milliseconds * 1'000);
  event_add(event_.get(), &after);
}
void Timer::disarm() noexcept { event_del(event_.get()); }
void Timer::timer_cb(int, short, void* self) noexcept { static_cast<Timer*>(self)->on_fire_(); }

void Deadline::set_ms(uint64_t milliseconds_from_now) {
  const uint64_t now = loop_.now_us();
  deadline_us_ = now + milliseconds_from_now * 1'000;
  if (armed_us_ != 0 && armed_us_ <= deadline_us_) return;
  if (timer_ == nullptr) timer_ = std::make_unique<Timer>(loop_, [this] { look(); });
  timer_->arm_ms(milliseconds_from_now);
  armed_us_ = deadline_us_;
}

void Deadline::look() {
  armed_us_ = 0;
  if (deadline_us_ == 0) return;
  const uint64_t now = loop_.now_us();
  if (now < deadline_us_) {
    armed_us_ = deadline_us_;
    timer_->arm_ms((deadline_us_ - now + 999) / 1'000);
    return;
  }
  deadline_us_ = 0;
  on_passed_();
}

SignalWatcher::SignalWatcher(EventLoop& loop, int signal_number, std::function<void()> on_signal)
    : on_signal_(std::move(on_signal)),
      event_(make(loop, signal_number, EV_SIGNAL | EV_PERSIST, &SignalWatcher::signal_cb, this)) {
  KG_ASSERT(event_add(event_.get(), nullptr) == 0);
}
void SignalWatcher::signal_cb(int, short, void* self) noexcept {
  static_cast<SignalWatcher*>(self)->on_signal_();
}

}  // namespace kg::event
