// FdWatcher, LevelWatcher, Timer, Deadline and SignalWatcher: RAII over libevent's events. A
// destroyed watcher cannot call back.
//
// Owner:  the object that is called back, as a member. Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "proxy/event/event_loop.h"

struct event;

namespace kg::event {

struct EventFree {
  void operator()(::event* handle) const noexcept;
};
using EventHandle = std::unique_ptr<::event, EventFree>;

class FdHandler {
 public:
  // `closing`: the peer has shut its side (EPOLLRDHUP), so bytes that are left end in an EOF and a
  // short read is not the end of the story.
  virtual void on_fd_readable(bool closing) = 0;
  virtual void on_fd_writable() = 0;

 protected:
  ~FdHandler() = default;
};

// Edge-triggered: registered once for reading, for writing only while a write is blocked, so the
// steady path makes no epoll_ctl call. Whoever stops reading early resumes by itself.
class FdWatcher {
 public:
  FdWatcher(EventLoop& loop, FdHandler& handler) : loop_(loop), handler_(handler) {}
  FdWatcher(const FdWatcher&) = delete;
  FdWatcher& operator=(const FdWatcher&) = delete;

  void watch(int fd);
  void watch_writable(bool on) noexcept;
  void close() noexcept;  // before the descriptor is closed

 private:
  static void fd_ready_cb(int fd, short what, void* self) noexcept;
  EventLoop& loop_;
  FdHandler& handler_;
  EventHandle read_;
  EventHandle write_;
  bool writable_wanted_ = false;
};

// Level-triggered reading, for listening sockets.
class ListenWatcher {
 public:
  ListenWatcher(EventLoop& loop, int fd, std::function<void()> on_readable);
  void pause() noexcept;
  void resume() noexcept;

 private:
  static void listen_ready_cb(int fd, short what, void* self) noexcept;
  std::function<void()> on_readable_;
  EventHandle event_;
};

// Level-triggered in both directions, for a library that does its own reading and writing. The
// callback may close it; it dies by EventLoop::defer_delete, because the callback is its member.
class LevelWatcher final : public Deferred {
 public:
  using OnReady = std::function<void(bool readable, bool writable)>;
  LevelWatcher(EventLoop& loop, int fd, OnReady on_ready)
      : loop_(loop), fd_(fd), on_ready_(std::move(on_ready)) {}
  void want(bool readable, bool writable);
  void close() noexcept { event_.reset(); }  // before the descriptor is closed

 private:
  static void level_ready_cb(int fd, short what, void* self) noexcept;
  EventLoop& loop_;
  int fd_;
  OnReady on_ready_;
  EventHandle event_;
};

class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> on_fire);
  void arm_ms(uint64_t milliseconds) noexcept;
  void disarm() noexcept;

 private:
  static void timer_cb(int fd, short what, void* self) noexcept;
  std::function<void()> on_fire_;
  EventHandle event_;
};

// A deadline that moves cheaply: the armed timer looks at it when it fires and re-arms itself.
// Moving it later costs a store; only an earlier one touches libevent. The handle is made at first
// use.
class Deadline {
 public:
  Deadline(EventLoop& loop, std::function<void()> on_passed)
      : loop_(loop), on_passed_(std::move(on_passed)) {}
  void set_ms(uint64_t milliseconds_from_now);
  void clear() noexcept { deadline_us_ = 0; }
  bool is_set() const noexcept { return deadline_us_ != 0; }

 private:
  void look();
  EventLoop& loop_;
  std::function<void()> on_passed_;
  std::unique_ptr<Timer> timer_;
  uint64_t deadline_us_ = 0;
  uint64_t armed_us_ = 0;
};

class SignalWatcher {
 public:
  SignalWatcher(EventLoop& loop, int signal_number, std::function<void()> on_signal);

 private:
  static void signal_cb(int number, short what, void* self) noexcept;
  std::function<void()> on_signal_;
  EventHandle event_;
};

}  // namespace kg::event
