#include "proxy/fetch/fetcher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/fetch/driver.h"
#include "proxy/fetch/transfer.h"

namespace kg::fetch {

std::string_view purpose_name(Purpose purpose) noexcept {
  constexpr std::array<std::string_view, kPurposeCount> kNames{"keys", "alb_key", "introspection",
                                                               "delegated"};
  return kNames[static_cast<size_t>(purpose)];
}

std::string_view failure_name(Failure failure) noexcept {
  constexpr std::array<std::string_view, kFailureCount> kNames{
      "answered", "busy", "timeout", "connect", "tls", "too_large", "protocol", "stopped"};
  return kNames[static_cast<size_t>(failure)];
}

namespace {

constexpr const char* kEnds = "the proxy ends";

// A token of a client stands in these: no line of its own may come out of it.
bool is_one_line(const Field& field) noexcept {
  return std::ranges::none_of(field.value.reveal(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
  });
}

}  // namespace

struct Fetcher::Job {
  Request request;
  Done done;
  std::string origin;
  uint64_t deadline_us = 0;
  std::unique_ptr<Transfer> transfer;  // while it runs; borrows the request
};

Fetcher::Fetcher()
    : driver_(std::make_unique<Driver>(
          loop_,
          [this](Transfer& transfer, Answer answer) { on_ended(transfer, std::move(answer)); })),
      deadline_(loop_, [this] { look_at_deadlines(); }) {}

Fetcher::~Fetcher() { stop(); }

void Fetcher::start() {
  KG_ASSERT(!thread_.joinable());
  thread_ = std::thread([this] {
    loop_.run();
    ending_ = true;
    end_all();
    loop_.stop_from_any_thread();
    loop_.run();  // what was posted before the end
    loop_.settle();
  });
}

void Fetcher::stop() {
  if (!thread_.joinable()) return;
  loop_.stop_from_any_thread();
  thread_.join();
}

void Fetcher::fetch(Request request, Done done) {
  // std::function copies what it holds, a job is not copied: the post carries it by a shared owner.
  auto job = std::make_shared<std::unique_ptr<Job>>(std::make_unique<Job>());
  (*job)->origin = request.url.origin() + request.connect_to;
  (*job)->deadline_us = event::monotonic_us() + uint64_t{request.deadline_ms} * 1'000;
  (*job)->request = std::move(request);
  (*job)->done = std::move(done);
  const bool room = admitted_.fetch_add(1, std::memory_order_relaxed) < limits::kFetchesMax;
  loop_.post([this, job = std::move(job), room] {
    if (room) return admit(std::move(*job));
    refuse(**job, Failure::kBusy, "too many exchanges wait on the network thread");
  });
}

void Fetcher::admit(std::unique_ptr<Job> job) {
  KG_ASSERT(loop_.in_loop_thread());
  if (ending_) return refuse(*job, Failure::kStopped, kEnds);
  if (!job->request.url.secure && !job->request.to_own_gateway) {
    return refuse(*job, Failure::kProtocol, "plain http is not spoken to this service");
  }
  if (!std::ranges::all_of(job->request.fields, is_one_line)) {
    return refuse(*job, Failure::kProtocol, "a header field would hold a control character");
  }
  Origin& origin = origins_[job->origin];
  if (origin.admitted >= limits::kFetchesPerOriginMax) {
    return refuse(*job, Failure::kBusy, "too many exchanges wait for this service");
  }
  ++origin.admitted;
  watch_deadline(job->deadline_us);
  queue_.push_back(std::move(job));
  start_more();
}

// Oldest first, but never more than its share for one service.
void Fetcher::start_more() {
  for (auto next = queue_.begin(); next != queue_.end();) {
    if (running_.size() >= limits::kFetchesRunning) break;
    if (origins_[(*next)->origin].running >= limits::kFetchesRunningPerOrigin) {
      ++next;
      continue;
    }
    std::unique_ptr<Job> job = std::move(*next);
    next = queue_.erase(next);
    start_one(std::move(job));
  }
}

void Fetcher::start_one(std::unique_ptr<Job> job) {
  job->transfer = std::make_unique<Transfer>(job->request);
  ++origins_[job->origin].running;
  Transfer& transfer = *job->transfer;
  running_.emplace(&transfer, std::move(job));
  driver_->add(transfer);
}

void Fetcher::on_ended(Transfer& transfer, Answer answer) {
  finish(take_running(transfer), std::move(answer));
  start_more();
}

// The driver has let go of it.
std::unique_ptr<Fetcher::Job> Fetcher::take_running(Transfer& transfer) {
  const auto found = running_.find(&transfer);
  KG_ASSERT(found != running_.end());
  std::unique_ptr<Job> job = std::move(found->second);
  running_.erase(found);
  --origins_[job->origin].running;
  job->transfer.reset();
  return job;
}

void Fetcher::finish(std::unique_ptr<Job> job, Answer answer) {
  const auto origin = origins_.find(job->origin);
  KG_ASSERT(origin != origins_.end() && origin->second.admitted > 0);
  if (--origin->second.admitted == 0) origins_.erase(origin);
  admitted_.fetch_sub(1, std::memory_order_relaxed);
  const size_t row = static_cast<size_t>(job->request.purpose) * kFailureCount;
  counts_[row + static_cast<size_t>(answer.failure)].fetch_add(1, std::memory_order_relaxed);
  job->done(std::move(answer));
}

// For a job that no origin counted.
void Fetcher::refuse(Job& job, Failure failure, const char* problem) {
  admitted_.fetch_sub(1, std::memory_order_relaxed);
  const size_t row = static_cast<size_t>(job.request.purpose) * kFailureCount;
  counts_[row + static_cast<size_t>(failure)].fetch_add(1, std::memory_order_relaxed);
  Answer answer;
  answer.failure = failure;
  answer.problem = problem;
  job.done(std::move(answer));
}

void Fetcher::watch_deadline(uint64_t deadline_us) {
  if (next_deadline_us_ != 0 && next_deadline_us_ <= deadline_us) return;
  next_deadline_us_ = deadline_us;
  const uint64_t now = event::monotonic_us();
  deadline_.set_ms(deadline_us > now ? (deadline_us - now) / 1'000 + 1 : 0);
}

// Ours and not libcurl's: 7.88 drops a timer that something else woke less than a millisecond
// early (lib/multi.c: add_next_timeout), and the exchange would never end.
void Fetcher::look_at_deadlines() {
  const uint64_t now = event::monotonic_us();
  Jobs late;
  for (auto job = queue_.begin(); job != queue_.end();) {
    const auto here = job++;
    if ((*here)->deadline_us <= now) late.splice(late.end(), queue_, here);
  }
  std::vector<Transfer*> slow;
  for (const auto& [transfer, job] : running_) {
    if (job->deadline_us <= now) slow.push_back(transfer);
  }
  for (Transfer* transfer : slow) {
    driver_->remove(*transfer);
    late.push_back(take_running(*transfer));
  }
  next_deadline_us_ = 0;
  for (const auto& job : queue_) watch_deadline(job->deadline_us);
  for (const auto& [transfer, job] : running_) watch_deadline(job->deadline_us);
  Answer answer;
  answer.failure = Failure::kTimeout;
  answer.problem = "no whole answer came before the deadline";
  for (std::unique_ptr<Job>& job : late) finish(std::move(job), answer);
  start_more();
}

void Fetcher::end_all() {
  Answer stopped;
  stopped.failure = Failure::kStopped;
  stopped.problem = kEnds;
  while (!running_.empty()) {
    Transfer& transfer = *running_.begin()->first;
    driver_->remove(transfer);
    finish(take_running(transfer), stopped);
  }
  while (!queue_.empty()) {
    std::unique_ptr<Job> job = std::move(queue_.front());
    queue_.pop_front();
    finish(std::move(job), stopped);
  }
}

uint64_t Fetcher::count(Purpose purpose, Failure failure) const noexcept {
  const size_t row = static_cast<size_t>(purpose) * kFailureCount;
  return counts_[row + static_cast<size_t>(failure)].load(std::memory_order_relaxed);
}

}  // namespace kg::fetch
