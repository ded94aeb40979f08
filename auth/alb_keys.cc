#include "auth/alb_keys.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "auth/identity.h"
#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::auth {
namespace {

std::atomic<uint64_t> last_generation{0};

constexpr uint64_t kFreshUs = uint64_t{limits::kAlbKeyFreshS} * 1'000'000;
constexpr uint64_t kUnknownUs = uint64_t{limits::kAlbUnknownS} * 1'000'000;

struct Entry {
  std::shared_ptr<const KeySet> key;  // null: the service has none
  uint64_t fetched_us = 0;
  uint64_t next_us = 0;  // of a key: when it is fetched anew
};
using Entries = std::map<std::string, Entry, std::less<>>;

// Makes room for one more among those with a key, or among those without.
void make_room(Entries& entries, bool with_key, size_t most) {
  size_t count = 0;
  auto oldest = entries.end();
  for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
    if ((entry->second.key != nullptr) != with_key) continue;
    ++count;
    if (oldest == entries.end() || entry->second.fetched_us < oldest->second.fetched_us) {
      oldest = entry;
    }
  }
  if (count >= most) entries.erase(oldest);
}

}  // namespace

std::string AlbKeysOptions::identity() const {
  return Identity("alb").add(base.text()).add(trust.get()).digest();
}

struct AlbKeys::State {
  using Done = std::function<void()>;
  State(fetch::Fetcher& network, AlbKeysOptions chosen)
      : fetcher(network), options(std::move(chosen)) {}

  void start(const std::shared_ptr<State>& self, const std::string& kid);
  void on_answer(const std::string& kid, const fetch::Answer& answer);
  void adopt(const std::string& kid, std::shared_ptr<const KeySet> key);

  fetch::Fetcher& fetcher;
  const AlbKeysOptions options;
  std::map<std::string, std::vector<Done>> fetching;  // network thread
  std::atomic<uint64_t> generation{++last_generation};
  // Held for one look at the map: once for a token that no cache knows, once for each fetch.
  mutable std::mutex mutex;
  Entries entries;
};

void AlbKeys::State::start(const std::shared_ptr<State>& self, const std::string& kid) {
  fetch::Request request;
  request.purpose = fetch::Purpose::kAlbKey;
  request.url = options.base;
  if (!request.url.target.ends_with('/')) request.url.target += '/';
  request.url.target += kid;
  request.trust = options.trust;
  fetching.try_emplace(kid);
  fetcher.fetch(std::move(request), [self, kid](const fetch::Answer& answer) {
    self->on_answer(kid, answer);
    const auto waiting = self->fetching.extract(kid);
    for (const Done& done : waiting.mapped()) done();
  });
}

void AlbKeys::State::on_answer(const std::string& kid, const fetch::Answer& answer) {
  std::string problem = answer.problem;
  if (answer.came() && answer.status == 200) {
    KeySet::Loaded loaded = KeySet::from_text(answer.body);
    if (loaded.keys != nullptr && loaded.keys->size() == 1) return adopt(kid, loaded.keys);
    problem = loaded.keys != nullptr ? "the answer holds several keys" : loaded.error;
  } else if (answer.came() && (answer.status == 403 || answer.status == 404)) {
    return adopt(kid, nullptr);
  } else if (answer.came()) {
    problem = "answered " + std::to_string(answer.status);
  }
  const std::lock_guard lock(mutex);
  const auto known = entries.find(kid);
  if (known != entries.end()) known->second.next_us = event::monotonic_us() + kUnknownUs;
  log::warn("auth", "a load balancer's key cannot be fetched kid={} problem=\"{}\"", kid, problem);
}

void AlbKeys::State::adopt(const std::string& kid, std::shared_ptr<const KeySet> key) {
  const uint64_t now = event::monotonic_us();
  const std::lock_guard lock(mutex);
  const auto known = entries.find(kid);
  const bool withdrawn = known != entries.end() && known->second.key != nullptr &&
                         (key == nullptr || !key->holds_all_of(*known->second.key));
  if (known != entries.end()) entries.erase(known);
  make_room(entries, key != nullptr, key != nullptr ? limits::kAlbKeysMax : limits::kAlbUnknownMax);
  entries[kid] = {std::move(key), now, now + kFreshUs};
  if (!withdrawn) return;
  generation = ++last_generation;
  log::info("auth", "a load balancer's key was withdrawn kid={}", kid);
}

AlbKeys::AlbKeys(fetch::Fetcher& fetcher, AlbKeysOptions options)
    : state_(std::make_shared<State>(fetcher, std::move(options))) {}

AlbKeys::~AlbKeys() = default;

AlbKeys::Found AlbKeys::find(const std::string& kid) const {
  const std::lock_guard lock(state_->mutex);
  const auto known = state_->entries.find(kid);
  if (known == state_->entries.end()) return {};
  if (known->second.key != nullptr) return {Known::kKey, known->second.key};
  const bool lately = event::monotonic_us() < known->second.fetched_us + kUnknownUs;
  return {lately ? Known::kNone : Known::kAsk, nullptr};
}

void AlbKeys::learn(const std::string& kid, std::function<void()> done) {
  KG_ASSERT(is_alb_kid(kid));
  state_->fetcher.loop().post([state = state_, kid, done = std::move(done)] {
    auto asked = state->fetching.find(kid);
    if (asked == state->fetching.end()) {
      if (state->fetching.size() >= limits::kAlbFetchesMax) return done();
      state->start(state, kid);
      asked = state->fetching.find(kid);
    }
    asked->second.push_back(done);
  });
}

uint64_t AlbKeys::generation() const noexcept { return state_->generation; }

void AlbKeys::tick() {
  const uint64_t now = event::monotonic_us();
  std::vector<std::string> due;
  {
    const std::lock_guard lock(state_->mutex);
    const size_t before = state_->entries.size();
    const auto is_old = [now](const auto& entry) {
      return entry.second.key != nullptr && now >= entry.second.fetched_us + 2 * kFreshUs;
    };
    if (std::erase_if(state_->entries, is_old) != 0) {
      state_->generation = ++last_generation;
      log::warn("auth", "load balancers' keys are too old to be believed keys={}",
                before - state_->entries.size());
    }
    for (const auto& [kid, entry] : state_->entries) {
      if (entry.key != nullptr && now >= entry.next_us) due.push_back(kid);
    }
  }
  for (const std::string& kid : due) {
    if (state_->fetching.size() >= limits::kAlbFetchesMax) return;
    if (!state_->fetching.contains(kid)) state_->start(state_, kid);
  }
}

}  // namespace kg::auth
