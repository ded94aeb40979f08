#include "proxy/exchange/launch_gate.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"

namespace kg::exchange {

using Kind = LaunchGate::Word::Kind;

void LaunchGate::ask(Asker asker, const Bounds& bounds, uint64_t now_us, Words& words) {
  bounds_ = bounds;
  now_us_ = now_us;
  const bool full = waiting() >= bounds.waiting_max;
  if (!asker.key.empty()) {
    const auto same = keys_.find(asker.key);
    if (same != keys_.end()) {
      if (full) return words.push_back({asker.ticket, Kind::kFull, nullptr});
      starts_.at(same->second).joined.push_back(asker.ticket);
      joined_.emplace(asker.ticket, same->second);
      return;
    }
  }
  const bool now = running_ < bounds.running_max && queue_.empty();
  if (!now && full) return words.push_back({asker.ticket, Kind::kFull, nullptr});
  if (!asker.key.empty()) keys_.emplace(asker.key, asker.ticket);
  Start& start = starts_[asker.ticket];
  start.principal = asker.principal;
  start.key = std::move(asker.key);
  if (now) return begin(asker.ticket, start, words);
  queue_.push(start.principal, asker.ticket);
  serve(words);  // a reload may have raised the bound
}

void LaunchGate::begin(Ticket ticket, Start& start, Words& words) {
  start.state = State::kRunning;
  ++running_;
  const bool lost = is_lost(start.key, now_us_);
  words.push_back({ticket, lost ? Kind::kNewTurn : Kind::kTurn, nullptr});
}

void LaunchGate::serve(Words& words) {
  while (running_ < bounds_.running_max) {
    const auto next = queue_.pop();
    if (!next) return;
    begin(*next, starts_.at(*next), words);
  }
}

void LaunchGate::answered(Ticket ticket, const LaunchAnswerRef& answer, Words& words) {
  const auto start = starts_.find(ticket);
  if (start != starts_.end()) end(start, answer, words);
}

void LaunchGate::unclaimed(Ticket ticket, const LaunchAnswerRef& answer, Words& words) {
  const auto start = starts_.find(ticket);
  if (start == starts_.end()) return;
  if (start->second.joined.empty()) {
    start->second.state = State::kEnding;
    return words.push_back({ticket, Kind::kUnwanted, nullptr});
  }
  words.push_back({ticket, Kind::kKept, nullptr});
  end(start, answer, words);
}

void LaunchGate::lost(Ticket ticket, const LaunchAnswerRef& answer, uint64_t until_us,
                      Words& words) {
  const auto start = starts_.find(ticket);
  if (start == starts_.end()) return;
  if (!start->second.key.empty()) note_lost(start->second.key, until_us);
  end(start, answer, words);
}

void LaunchGate::end(Starts::iterator start, const LaunchAnswerRef& answer, Words& words) {
  KG_ASSERT(start->second.state != State::kQueued);
  for (const Ticket joined : start->second.joined) {
    joined_.erase(joined);
    words.push_back({joined, Kind::kAnswered, answer});
  }
  keys_.erase(start->second.key);
  starts_.erase(start);
  --running_;
  serve(words);
}

void LaunchGate::leave(Ticket ticket, Words& words) {
  const auto start = starts_.find(ticket);
  if (start == starts_.end()) return leave_joined(ticket);
  if (start->second.state == State::kQueued) {
    queue_.remove(ticket);
  } else {
    --running_;
  }
  succeed(start, words);
  serve(words);
}

// The first of those who joined takes its place, and the others with it.
void LaunchGate::succeed(Starts::iterator start, Words& words) {
  Start gone = std::move(start->second);
  starts_.erase(start);
  if (gone.joined.empty()) {
    keys_.erase(gone.key);
    return;
  }
  const Ticket heir = gone.joined.front();
  gone.joined.erase(gone.joined.begin());
  joined_.erase(heir);
  for (const Ticket joined : gone.joined) joined_[joined] = heir;
  keys_[gone.key] = heir;
  const bool ran = gone.state != State::kQueued;
  gone.state = State::kQueued;
  Start& next = starts_.emplace(heir, std::move(gone)).first->second;
  if (ran) return begin(heir, next, words);
  queue_.push(next.principal, heir);
}

void LaunchGate::leave_joined(Ticket ticket) {
  const auto joined = joined_.find(ticket);
  if (joined == joined_.end()) return;
  std::vector<Ticket>& others = starts_.at(joined->second).joined;
  others.erase(std::find(others.begin(), others.end(), ticket));
  joined_.erase(joined);
}

bool LaunchGate::is_lost(const std::string& key, uint64_t now_us) {
  const auto found = lost_.find(key);
  return found != lost_.end() && now_us < found->second;
}

void LaunchGate::note_lost(std::string key, uint64_t until_us) {
  std::erase_if(lost_, [this](const auto& entry) { return entry.second <= now_us_; });
  if (lost_.size() >= limits::kLostLaunchesMax) lost_.erase(lost_.begin());
  lost_[std::move(key)] = until_us;
}

}  // namespace kg::exchange
