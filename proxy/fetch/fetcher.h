// Fetcher: the network thread. HTTP exchanges with services that sessions depend on, by libcurl,
// so that no worker ever waits for one.
//
// Owner:  the server, one per process. Thread: fetch() any; `done`, loop() and what it runs are of
//         the network thread.
// Rules:  https only (Request::to_own_gateway says the exception), certificate and name always
//         verified, TLS 1.2 or newer, no redirect is followed, no proxy of the environment, no
//         cookies, no netrc, HTTP/1.1, and a connection of its own for each exchange.
// Limits: kFetchesMax wait at a time, kFetchesPerOriginMax of them for one service; kFetchesRunning
//         run, kFetchesRunningPerOrigin of them for one service, so that a slow one delays nobody
//         else. Each has a deadline that counts from fetch().
// Errors: Answer::failure. `done` is called once for each fetch() before stop(), and never within.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

#include "proxy/event/event_loop.h"
#include "proxy/event/watcher.h"
#include "proxy/fetch/request.h"

namespace kg::fetch {

class Driver;
class Transfer;

using Done = std::function<void(Answer)>;

class Fetcher {
 public:
  Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;
  ~Fetcher();  // stops

  void start();
  // What still waits ends with kStopped; then the thread is gone.
  void stop();

  void fetch(Request request, Done done);
  // For timers and posts of those who fetch at intervals.
  event::EventLoop& loop() noexcept { return loop_; }

  // Any thread.
  uint64_t count(Purpose purpose, Failure failure) const noexcept;
  uint32_t waiting() const noexcept { return admitted_.load(std::memory_order_relaxed); }

 private:
  struct Job;
  struct Origin {
    uint32_t admitted = 0;
    uint32_t running = 0;
  };
  using Jobs = std::list<std::unique_ptr<Job>>;

  void admit(std::unique_ptr<Job> job);
  void start_more();
  void start_one(std::unique_ptr<Job> job);
  void on_ended(Transfer& transfer, Answer answer);
  std::unique_ptr<Job> take_running(Transfer& transfer);
  void finish(std::unique_ptr<Job> job, Answer answer);
  void refuse(Job& job, Failure failure, const char* problem);
  void watch_deadline(uint64_t deadline_us);
  void look_at_deadlines();
  void end_all();

  event::EventLoop loop_;
  std::unique_ptr<Driver> driver_;
  std::unordered_map<std::string, Origin> origins_;  // with something admitted
  Jobs queue_;                                       // oldest first
  std::unordered_map<Transfer*, std::unique_ptr<Job>> running_;
  event::Deadline deadline_;       // of all that wait or run
  uint64_t next_deadline_us_ = 0;  // the earliest of them; 0: none
  bool ending_ = false;
  std::atomic<uint32_t> admitted_{0};
  std::array<std::atomic<uint64_t>, kPurposeCount * kFailureCount> counts_{};
  std::thread thread_;
};

}  // namespace kg::fetch
