#include "proxy/exchange/launch_desk.h"

#include <algorithm>

#include "proxy/base/assert.h"

namespace kg::exchange {
namespace {

using Kind = LaunchGate::Word::Kind;

// A ticket's number: the worker that asked above, a count of that worker below.
constexpr int kCountBits = 48;

constexpr bool is_last(Kind kind) noexcept {
  return kind == Kind::kFull || kind == Kind::kAnswered || kind == Kind::kKept;
}

// So many on each pod that takes new kernels. Those that hang on another one take no place of them.
uint32_t running_max(const routing::Endpoint& endpoint) noexcept {
  uint32_t most = 0;
  for (const routing::Pod& pod : endpoint.pods) {
    most += pod.takes_new() ? endpoint.launches_max : pod.facts->launches();
  }
  return std::max(most, endpoint.launches_max);
}

}  // namespace

LaunchTicket& LaunchTicket::operator=(LaunchTicket&& other) noexcept {
  if (this != &other) {
    leave();
    desk_ = std::exchange(other.desk_, nullptr);
    gate_ = std::move(other.gate_);
    number_ = other.number_;
  }
  return *this;
}

void LaunchTicket::leave() noexcept {
  LaunchDesk* desk = std::exchange(desk_, nullptr);
  if (desk == nullptr) return;
  desk->forget(number_);
  desk->post(gate_, [number = number_](LaunchGate& gate, LaunchGate::Words& words) {
    gate.leave(number, words);
  });
}

void LaunchTicket::belong_to(LaunchWaiter& waiter) {
  KG_ASSERT(held());
  desk_->seat_of(number_).waiters[number_] = &waiter;
}

void LaunchTicket::answered(LaunchAnswerRef answer) {
  LaunchDesk* desk = std::exchange(desk_, nullptr);
  if (desk == nullptr) return;
  desk->forget(number_);
  desk->post(gate_, [number = number_, answer = std::move(answer)](LaunchGate& gate,
                                                                   LaunchGate::Words& words) {
    gate.answered(number, answer, words);
  });
}

void LaunchTicket::unclaimed(LaunchAnswerRef answer) {
  KG_ASSERT(held());
  desk_->post(gate_, [number = number_, answer = std::move(answer)](LaunchGate& gate,
                                                                    LaunchGate::Words& words) {
    gate.unclaimed(number, answer, words);
  });
}

void LaunchTicket::lost(LaunchAnswerRef answer, uint64_t until_us) {
  LaunchDesk* desk = std::exchange(desk_, nullptr);
  if (desk == nullptr) return;
  desk->forget(number_);
  desk->post(gate_, [number = number_, answer = std::move(answer), until_us](
                        LaunchGate& gate, LaunchGate::Words& words) {
    gate.lost(number, answer, until_us, words);
  });
}

void LaunchDesk::add_seat(event::EventLoop& loop, metrics::WorkerMetrics& metrics) {
  seats_.push_back({&loop, &metrics, {}, {}, 0});
}

LaunchTicket LaunchDesk::ask(size_t worker, LaunchWaiter& waiter, const routing::Endpoint& endpoint,
                             uint64_t principal, std::string key) {
  Seat& own = seats_.at(worker);
  const LaunchGate::Ticket number = (uint64_t{worker} << kCountBits) | ++own.asked;
  own.waiters.emplace(number, &waiter);
  std::string name = endpoint.virtual_cluster + '/' + endpoint.id;
  Seat& at = home(name);
  const LaunchGate::Bounds bounds{running_max(endpoint), endpoint.launch_queue_max};
  at.loop->post([this, &at, name, slot = endpoint.metrics_slot, bounds,
                 asker = LaunchGate::Asker{number, principal, std::move(key)}]() mutable {
    const auto [entry, is_new] = at.gates.try_emplace(name);
    if (is_new) entry->second.slot = slot;
    run(at, name, [&](LaunchGate& gate, LaunchGate::Words& words) {
      gate.ask(std::move(asker), bounds, at.loop->now_us(), words);
    });
  });
  return {*this, std::move(name), number};
}

LaunchDesk::Seat& LaunchDesk::home(const std::string& gate) {
  KG_ASSERT(!seats_.empty());
  return seats_[std::hash<std::string>()(gate) % seats_.size()];
}

LaunchDesk::Seat& LaunchDesk::seat_of(LaunchGate::Ticket ticket) {
  return seats_.at(ticket >> kCountBits);
}

void LaunchDesk::post(const std::string& gate, Step step) {
  Seat& at = home(gate);
  at.loop->post([this, &at, gate, step = std::move(step)] { run(at, gate, step); });
}

// On the home's thread.
void LaunchDesk::run(Seat& seat, const std::string& name, const Step& step) {
  const auto found = seat.gates.find(name);
  if (found == seat.gates.end()) return;
  Gate& entry = found->second;
  LaunchGate::Words words;
  step(entry.gate, words);
  metrics::EndpointMetrics& counters = seat.metrics->endpoint(entry.slot);
  counters.launches_running.add(entry.gate.running() - entry.running);
  counters.launches_waiting.add(entry.gate.waiting() - entry.waiting);
  entry.running = entry.gate.running();
  entry.waiting = entry.gate.waiting();
  if (entry.gate.idle()) seat.gates.erase(found);
  for (LaunchGate::Word& word : words) tell(std::move(word));
}

void LaunchDesk::tell(LaunchGate::Word word) {
  Seat& seat = seat_of(word.ticket);
  seat.loop->post([&seat, word = std::move(word)] {
    const auto found = seat.waiters.find(word.ticket);
    if (found == seat.waiters.end()) return;  // it has left; its own word to the gate is on its way
    LaunchWaiter& waiter = *found->second;
    if (is_last(word.kind)) seat.waiters.erase(found);
    waiter.on_launch_word(word.kind, word.answer);
  });
}

}  // namespace kg::exchange
