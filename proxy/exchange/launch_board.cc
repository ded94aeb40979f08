#include "proxy/exchange/launch_board.h"

#include <functional>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"

namespace kg::exchange {
namespace {
constexpr size_t kLaunchesOpenMax = 4'096;
}

void LaunchBoard::add_seat(event::EventLoop& loop, metrics::WorkerMetrics& metrics) {
  seats_.push_back({&loop, &metrics, {}});
}

LaunchBoard::Seat& LaunchBoard::home(std::string_view kernel_id) {
  KG_ASSERT(!seats_.empty());
  return seats_[std::hash<std::string_view>()(kernel_id) % seats_.size()];
}

void LaunchBoard::launched(std::string_view kernel_id, uint64_t started_us) {
  Seat& seat = home(kernel_id);
  const Start start{started_us, event::monotonic_us()};
  if (seat.loop->in_loop_thread()) return record(seat, std::string(kernel_id), start);
  seat.loop->post([&seat, id = std::string(kernel_id), start] { record(seat, id, start); });
}

void LaunchBoard::connected(std::string_view kernel_id) {
  Seat& seat = home(kernel_id);
  const uint64_t now = event::monotonic_us();
  if (seat.loop->in_loop_thread()) return settle(seat, std::string(kernel_id), now);
  seat.loop->post([&seat, id = std::string(kernel_id), now] { settle(seat, id, now); });
}

void LaunchBoard::record(Seat& seat, std::string kernel_id, Start start) {
  if (seat.open.size() >= kLaunchesOpenMax) expire(seat, start.answered_us);
  if (seat.open.size() >= kLaunchesOpenMax) return;
  seat.open.emplace(std::move(kernel_id), start);
}

void LaunchBoard::settle(Seat& seat, const std::string& kernel_id, uint64_t now_us) {
  const auto found = seat.open.find(kernel_id);
  if (found == seat.open.end()) return;
  const Start& start = found->second;
  const bool late = now_us - start.answered_us >= limits::kLaunchMsMax * 1'000ULL;
  seat.metrics->kernel_launch.observe_us((late ? start.answered_us : now_us) - start.started_us);
  seat.open.erase(found);
}

void LaunchBoard::expire(Seat& seat, uint64_t now_us) {
  for (auto entry = seat.open.begin(); entry != seat.open.end();) {
    const Start& start = entry->second;
    if (now_us - start.answered_us < limits::kLaunchMsMax * 1'000ULL) {
      ++entry;
      continue;
    }
    seat.metrics->kernel_launch.observe_us(start.answered_us - start.started_us);
    entry = seat.open.erase(entry);
  }
}

}  // namespace kg::exchange
