// Writes: requests that may wait, sent evenly: at a bounded rate and few at a time, whatever many
// objects ask for at once.
//
// A write has a key. One that waits gives way to a newer one of its key; one that is under way is
// followed by it. What is sent is made when its turn comes, so that it says what is so then.
//   2xx, 3xx, 4xx ──▶ done
//   429, 5xx, no answer ──▶ all pause (Backoff, Retry-After); that one goes to the end, and is
//                           given up after kWriteTriesMax answers of 5xx or kWriteLostMax tries
//                           without one: done with the last one
// Owner:  who has something to write; outlived by client and loop. Thread: the loop's.
// Limits: `Limits`. Errors: the Reply; add() says false where no more may wait.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "proxy/event/watcher.h"
#include "routing/controller/kube/backoff.h"
#include "routing/controller/kube/client.h"
#include "routing/controller/kube/limits.h"
#include "routing/controller/kube/pace.h"

namespace kg::kube {

class Writes {
 public:
  struct Limits {
    uint32_t per_second = 1;
    uint32_t at_once = 1;  // after a pause
    size_t open_max = 1;
    size_t waiting_max = 1;
    uint32_t backoff_ms = kBackoffMs;
  };
  struct Counts {
    uint64_t ok = 0;
    uint64_t failed = 0;   // refused, or given up
    uint64_t retried = 0;  // tries that were followed by another one
    uint64_t dropped = 0;  // too many waited
  };
  // nullopt: it is not wanted any more, and nothing is sent.
  using Make = std::function<std::optional<CallRequest>()>;
  // False: that answer is a failure, and counts so. Not called for what is tried again.
  using Done = std::function<bool(const Reply&)>;

  Writes(event::EventLoop& loop, Client& client, Limits limits);
  Writes(const Writes&) = delete;
  Writes& operator=(const Writes&) = delete;

  // Never calls `make` or `done` from within.
  bool add(const std::string& key, Make make, Done done);
  // Forgets what waits and what is under way.
  void clear();

  size_t waiting() const noexcept { return waiting_.size(); }
  const Counts& counts() const noexcept { return counts_; }

 private:
  struct Job {
    std::string key;
    Make make;
    Done done;
    uint32_t refused = 0;  // tries that were answered with 5xx
    uint32_t lost = 0;     // that were not answered
  };
  using Jobs = std::list<Job>;
  struct Open {
    Job job;
    std::unique_ptr<Call> call;
  };

  bool put(Job job);
  void pump();
  bool pump_one(uint64_t now_us);
  void send(Job job, CallRequest request);
  void on_reply(const std::string& key, const Reply& reply);
  static bool was_last_try(Job& job, const Reply& reply) noexcept;
  void finish(const Job& job, const Reply& reply);
  void wake_in(uint64_t us);

  event::EventLoop& loop_;
  Client& client_;
  const Limits limits_;
  Pace pace_;
  Backoff backoff_;
  event::Timer timer_;
  Jobs waiting_;
  std::map<std::string, Jobs::iterator> by_key_;
  std::map<std::string, Open> open_;
  uint64_t paused_until_us_ = 0;
  Counts counts_;
};

}  // namespace kg::kube
