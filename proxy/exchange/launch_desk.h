// LaunchDesk: where kernel starts of all workers meet, so that an endpoint has one queue and one
// start goes up once (LaunchGate).
//
// Each endpoint has a home worker, hash of its name mod workers, which keeps its gate; the others
// reach it by EventLoop::post, and hear from it in the same way: a few posts for each kernel start.
// Owner:  the server; seats are added before the workers run. Thread: any worker; a LaunchTicket
//         and its LaunchWaiter belong to the worker that asked.
// Limits: the gate's; the bounds are the endpoint's, as who asked last knows them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "metrics/worker_metrics.h"
#include "proxy/event/event_loop.h"
#include "proxy/exchange/launch_gate.h"
#include "routing/endpoint.h"

namespace kg::exchange {

class LaunchDesk;

class LaunchWaiter {
 public:
  // Not for words of a ticket that is gone. Inside a turn of its own, never inside a call.
  virtual void on_launch_word(LaunchGate::Word::Kind kind, const LaunchAnswerRef& answer) = 0;

 protected:
  ~LaunchWaiter() = default;
};

// One asker's place at the desk; leaves it when destroyed, unless it has said how the start ended.
class LaunchTicket {
 public:
  LaunchTicket() = default;
  LaunchTicket(LaunchTicket&& other) noexcept
      : desk_(std::exchange(other.desk_, nullptr)),
        gate_(std::move(other.gate_)),
        number_(other.number_) {}
  LaunchTicket& operator=(LaunchTicket&& other) noexcept;
  ~LaunchTicket() { leave(); }

  bool held() const noexcept { return desk_ != nullptr; }
  void leave() noexcept;
  // From here on `waiter` hears its words.
  void belong_to(LaunchWaiter& waiter);
  // LaunchGate's words of the same names. The ticket is gone then, but for unclaimed().
  void answered(LaunchAnswerRef answer);
  void unclaimed(LaunchAnswerRef answer);
  void lost(LaunchAnswerRef answer, uint64_t until_us);

 private:
  friend class LaunchDesk;
  LaunchTicket(LaunchDesk& desk, std::string gate, LaunchGate::Ticket number)
      : desk_(&desk), gate_(std::move(gate)), number_(number) {}

  LaunchDesk* desk_ = nullptr;
  std::string gate_;
  LaunchGate::Ticket number_ = 0;
};

class LaunchDesk {
 public:
  void add_seat(event::EventLoop& loop, metrics::WorkerMetrics& metrics);

  // By worker number `worker`, on its thread. `waiter` hears kTurn, kNewTurn, kFull or kAnswered.
  LaunchTicket ask(size_t worker, LaunchWaiter& waiter, const routing::Endpoint& endpoint,
                   uint64_t principal, std::string key);

 private:
  friend class LaunchTicket;
  struct Gate {
    uint32_t slot = 0;     // of its metrics
    uint64_t running = 0;  // as the gauges stand
    uint64_t waiting = 0;
    LaunchGate gate;
  };
  struct Seat {
    event::EventLoop* loop;
    metrics::WorkerMetrics* metrics;
    // Touched by the seat's own thread only.
    std::unordered_map<LaunchGate::Ticket, LaunchWaiter*> waiters;
    std::unordered_map<std::string, Gate> gates;  // of which it is the home
    uint64_t asked = 0;
  };
  using Step = std::function<void(LaunchGate& gate, LaunchGate::Words& words)>;

  Seat& home(const std::string& gate);
  Seat& seat_of(LaunchGate::Ticket ticket);
  void post(const std::string& gate, Step step);
  void run(Seat& seat, const std::string& name, const Step& step);
  void tell(LaunchGate::Word word);
  void forget(LaunchGate::Ticket ticket) { seat_of(ticket).waiters.erase(ticket); }

  std::vector<Seat> seats_;
};

}  // namespace kg::exchange
