#include "routing/controller/kube/writes.h"

#include <algorithm>
#include <utility>

namespace kg::kube {
namespace {

constexpr int kTooManyRequests = 429;

bool is_theirs(int status) noexcept { return status >= 500; }

bool may_go_better(const Reply& reply) noexcept {
  return reply.status == 0 || reply.status == kTooManyRequests || is_theirs(reply.status);
}

}  // namespace

Writes::Writes(event::EventLoop& loop, Client& client, Limits limits)
    : loop_(loop),
      client_(client),
      limits_(limits),
      pace_(1'000'000 / limits.per_second, limits.at_once),
      backoff_(limits.backoff_ms, kBackoffMsMax),
      timer_(loop, [this] { pump(); }) {}

bool Writes::add(const std::string& key, Make make, Done done) {
  return put({key, std::move(make), std::move(done)});
}

bool Writes::put(Job job) {
  if (const auto known = by_key_.find(job.key); known != by_key_.end()) {
    *known->second = std::move(job);
    return true;
  }
  if (waiting_.size() >= limits_.waiting_max) {
    ++counts_.dropped;
    return false;
  }
  waiting_.push_back(std::move(job));
  by_key_.emplace(waiting_.back().key, std::prev(waiting_.end()));
  timer_.arm_ms(0);
  return true;
}

void Writes::clear() {
  waiting_.clear();
  by_key_.clear();
  for (auto& [key, open] : open_) {
    open.call->cancel();
    loop_.defer_delete(std::move(open.call));
  }
  open_.clear();
}

void Writes::pump() {
  const uint64_t now_us = loop_.now_us();
  while (pump_one(now_us)) {
  }
}

// False: nothing may be sent now; who ends that calls again.
bool Writes::pump_one(uint64_t now_us) {
  if (waiting_.empty() || open_.size() >= limits_.open_max) return false;
  const uint64_t pause_us = paused_until_us_ > now_us ? paused_until_us_ - now_us : 0;
  if (const uint64_t wait_us = std::max(pause_us, pace_.wait_us(now_us)); wait_us > 0) {
    wake_in(wait_us);
    return false;
  }
  const auto next =
      std::ranges::find_if(waiting_, [this](const Job& job) { return !open_.contains(job.key); });
  if (next == waiting_.end()) return false;
  Job job = std::move(*next);
  by_key_.erase(job.key);
  waiting_.erase(next);
  std::optional<CallRequest> request = job.make();
  if (!request) return true;
  pace_.take(now_us);
  send(std::move(job), std::move(*request));
  return true;
}

void Writes::send(Job job, CallRequest request) {
  const std::string key = job.key;
  Open& open = open_[key];
  open.job = std::move(job);
  open.call =
      client_.send(std::move(request), [this, key](const Reply& reply) { on_reply(key, reply); });
}

void Writes::on_reply(const std::string& key, const Reply& reply) {
  auto found = open_.extract(key);  // `key` is the call's: it lives as long as that
  Job job = std::move(found.mapped().job);
  loop_.defer_delete(std::move(found.mapped().call));
  timer_.arm_ms(0);
  if (!may_go_better(reply)) {
    backoff_.reset();
    return finish(job, reply);
  }
  const uint32_t wait_ms = backoff_.next_ms(random_word(), reply.retry_after_ms);
  paused_until_us_ = loop_.now_us() + uint64_t{wait_ms} * 1'000;
  if (was_last_try(job, reply)) return finish(job, reply);
  ++counts_.retried;
  if (!by_key_.contains(key)) static_cast<void>(put(std::move(job)));
}

bool Writes::was_last_try(Job& job, const Reply& reply) noexcept {
  if (reply.status == 0) return ++job.lost == kWriteLostMax;
  return is_theirs(reply.status) && ++job.refused == kWriteTriesMax;
}

void Writes::finish(const Job& job, const Reply& reply) {
  if (!job.done(reply)) {
    ++counts_.failed;
  } else if (reply.ok()) {
    ++counts_.ok;
  }
}

void Writes::wake_in(uint64_t us) { timer_.arm_ms(us / 1'000 + 1); }

}  // namespace kg::kube
