#include "auth/jwks_source.h"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "auth/identity.h"
#include "auth/key_schedule.h"
#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/fetch/freshness.h"

namespace kg::auth {
namespace {

std::atomic<uint64_t> last_generation{0};

}  // namespace

std::string JwksOptions::identity() const {
  Identity all("jwks");
  return all.add(url.text()).add(refresh_s).add(stale_s).add(trust.get()).digest();
}

struct JwksSource::State {
  State(fetch::Fetcher& network, JwksOptions chosen)
      : fetcher(network),
        options(std::move(chosen)),
        name(options.url.text()),
        schedule(options.refresh_s, options.stale_s) {}

  void start(const std::shared_ptr<State>& self);
  void on_answer(const fetch::Answer& answer);
  void adopt(std::shared_ptr<const KeySet> fresh);
  void complain(const std::string& problem);
  std::shared_ptr<const KeySet> current() const {
    const std::lock_guard lock(mutex);
    return keys;
  }

  fetch::Fetcher& fetcher;
  const JwksOptions options;
  const std::string name;
  KeySchedule schedule;
  bool fetching = false;
  std::vector<std::function<void()>> waiting;
  std::atomic<bool> joinable{true};  // a fetch runs, and who asks now gets its answer
  std::atomic<bool> healthy{false};
  std::atomic<uint64_t> generation{++last_generation};
  std::atomic<uint64_t> fetched_us{0};
  // Held for a copy of the pointer: once for a token that no cache knows, and once for each fetch.
  mutable std::mutex mutex;
  std::shared_ptr<const KeySet> keys;
};

void JwksSource::State::start(const std::shared_ptr<State>& self) {
  KG_ASSERT(fetcher.loop().in_loop_thread());
  fetching = true;
  joinable = true;
  fetch::Request request;
  request.purpose = fetch::Purpose::kKeys;
  request.url = options.url;
  request.trust = options.trust;
  request.fields.push_back({"Accept", Secret("application/jwk-set+json, application/json")});
  request.wanted = {"Cache-Control", "Age"};
  request.answer_bytes_max = limits::kKeySetBytesMax;
  fetcher.fetch(std::move(request), [self](const fetch::Answer& answer) {
    self->on_answer(answer);
    self->fetching = false;
    self->joinable = false;
    for (const auto& done : std::exchange(self->waiting, {})) done();
  });
}

void JwksSource::State::on_answer(const fetch::Answer& answer) {
  const uint64_t now = event::monotonic_us();
  if (!answer.came()) return complain(answer.problem);
  if (answer.status != 200) return complain("answered " + std::to_string(answer.status));
  KeySet::Loaded loaded = KeySet::from_issuer(answer.body);
  if (loaded.keys == nullptr) return complain(loaded.error);
  if (schedule.failures() > 0 || schedule.fetched_us() == 0) {
    log::info("auth", "session keys fetched url={} keys={}", name, loaded.keys->size());
  }
  schedule.on_good(now, fetch::seconds_fresh(answer.wanted[0], answer.wanted[1]));
  adopt(std::move(loaded.keys));
  fetched_us = now;
  healthy = true;
}

void JwksSource::State::adopt(std::shared_ptr<const KeySet> fresh) {
  const std::shared_ptr<const KeySet> old = current();
  const bool withdrawn = old != nullptr && (fresh == nullptr || !fresh->holds_all_of(*old));
  {
    const std::lock_guard lock(mutex);
    keys = std::move(fresh);
  }
  if (!withdrawn) return;
  generation = ++last_generation;
  log::info("auth", "a session key was withdrawn url={}", name);
}

void JwksSource::State::complain(const std::string& problem) {
  const uint64_t now = event::monotonic_us();
  const bool first = schedule.failures() == 0;
  schedule.on_bad(now);
  healthy = false;
  if (!first) return;
  const bool serving = schedule.fetched_us() != 0;
  log::warn("auth", "session keys cannot be fetched url={} problem=\"{}\": {}", name, problem,
            serving ? "the last good ones serve on" : "sessions wait for them");
}

JwksSource::JwksSource(fetch::Fetcher& fetcher, JwksOptions options)
    : state_(std::make_shared<State>(fetcher, std::move(options))) {}

JwksSource::~JwksSource() = default;

std::shared_ptr<const KeySet> JwksSource::keys() const { return state_->current(); }

uint64_t JwksSource::generation() const noexcept { return state_->generation; }

bool JwksSource::is_current() const noexcept { return state_->healthy; }

bool JwksSource::may_learn() const noexcept {
  return state_->joinable || state_->schedule.may_learn(event::monotonic_us());
}

void JwksSource::learn(const std::function<void()>& done) {
  state_->fetcher.loop().post([state = state_, done] {
    const uint64_t now = event::monotonic_us();
    if (!state->fetching) {
      if (!state->schedule.may_learn(now)) return done();
      state->schedule.on_learn(now);
      state->start(state);
    }
    state->waiting.push_back(done);
  });
}

void JwksSource::tick() {
  const uint64_t now = event::monotonic_us();
  if (state_->schedule.take_expired(now)) {
    log::error("auth", "session keys are too old to be believed, sessions wait url={}",
               state_->name);
    state_->adopt(nullptr);
    state_->fetched_us = 0;
  }
  if (!state_->fetching && state_->schedule.is_due(now)) state_->start(state_);
}

int64_t JwksSource::age_s() const noexcept {
  const uint64_t fetched = state_->fetched_us;
  if (fetched == 0) return -1;
  return static_cast<int64_t>((event::monotonic_us() - fetched) / 1'000'000);
}

}  // namespace kg::auth
