#include "routing/controller/kube/reflector.h"

#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/log.h"
#include "routing/controller/kube/object.h"

namespace kg::kube {
namespace {

constexpr int kGone = 410;
constexpr const char* kForbiddenRemedy = ": give it the right to list and watch them (RBAC)";
constexpr const char* kHistoryGone = "the server has forgotten the version that was watched from";

ObjectStore::Key key_of(const nlohmann::json& object) {
  const std::optional<ObjectHead> head = head_of(object);
  KG_ASSERT(head.has_value());
  return {std::string(head->namespace_name), std::string(head->name)};
}

}  // namespace

Reflector::Reflector(event::EventLoop& loop, Client& client, Selection selection, Handler& handler,
                     ReflectorOptions options)
    : loop_(loop),
      client_(client),
      selection_(std::move(selection)),
      handler_(handler),
      options_(options),
      backoff_(options.backoff_ms, options.backoff_ms_max),
      timer_(loop, [this] { go_on(); }),
      page_objects_(options.page_objects) {}

Reflector::~Reflector() = default;

void Reflector::start() {
  KG_ASSERT(loop_.in_loop_thread() && seen_us_ == 0);
  seen_us_ = loop_.now_us();
  begin_list();
}

uint64_t Reflector::lag_us() const noexcept {
  if (opened_us_ != 0 || seen_us_ == 0) return 0;
  return event::monotonic_us() - seen_us_;
}

void Reflector::relist() {
  if (opened_us_ == 0) return;
  end_watch();
  begin_list();
}

void Reflector::assume_empty() {
  if (!std::exchange(synced_, true)) handler_.on_synced();
}

void Reflector::go_on() {
  if (version_.empty()) return begin_list();
  begin_watch();
}

// ---- the list ----

void Reflector::begin_list() {
  version_.clear();
  pages_ = 0;
  next_.clear();
  store_.begin_list();
  ask_page();
}

void Reflector::ask_page() {
  CallRequest request;
  request.target = list_target(selection_, page_objects_, next_);
  request.deadline_ms = kPageMs;
  request.answer_bytes_max = kPageBytesMax;
  call_ = client_.send(std::move(request), [this](const Reply& reply) { on_page(reply); });
}

void Reflector::on_page(const Reply& reply) {
  drop_call();
  if (!reply.ok()) return on_page_failed(reply);
  std::optional<ListPage> page = read_list(reply.body, selection_);
  if (!page || ++pages_ > kPagesMax) {
    ++counts_.malformed;
    ++counts_.list_errors;
    return relist_later(page ? "a list has too many pages" : "a list cannot be read");
  }
  for (nlohmann::json& item : page->items) {
    upsert(item);
    item = nullptr;
  }
  next_ = std::move(page->next);
  if (!next_.empty()) return ask_page();
  end_list(std::move(page->resource_version));
}

void Reflector::on_page_failed(const Reply& reply) {
  ++counts_.list_errors;
  if (reply.failure == fetch::Failure::kTooLarge && page_objects_ > 1) {
    page_objects_ /= 2;
    return begin_list();
  }
  if (reply.status == kGone && !next_.empty()) {
    ++counts_.restarts;
    return relist_at_once("a list's continue token has expired");
  }
  wait_after(reply);
}

void Reflector::end_list(std::string resource_version) {
  ++counts_.lists;
  for (const ObjectStore::Key& key : store_.unlisted()) remove(key);
  version_ = std::move(resource_version);
  refusals_ = 0;
  seen_us_ = heard_us_ = loop_.now_us();
  if (!std::exchange(synced_, true)) handler_.on_synced();
  begin_watch();
}

// ---- the watch ----

void Reflector::begin_watch() {
  const uint64_t spread = (uint64_t{options_.watch_spread_ms} * random_word()) >> 32;
  const uint32_t milliseconds = options_.watch_ms + static_cast<uint32_t>(spread);
  CallRequest request;
  request.target = watch_target(selection_, version_, milliseconds / 1'000);
  request.deadline_ms = milliseconds + kWatchGraceMs;
  reader_ = std::make_unique<WatchReader>();
  progressed_ = false;
  call_ = client_.watch(std::move(request), *this,
                        [this](const Reply& reply) { on_watch_ended(reply); });
}

void Reflector::on_stream_open() {
  ++counts_.watches;
  opened_us_ = loop_.now_us();
  refusals_ = 0;
}

void Reflector::on_stream_bytes(std::string_view bytes) {
  if (reader_->feed(bytes, [this](WatchEvent event) { return take_event(std::move(event)); }))
    return;
  if (*reader_->fault() == '\0') return;  // take_event has decided
  ++counts_.malformed;
  ++counts_.watch_errors;
  end_watch();
  relist_later(std::string("a watch cannot be read: ") + reader_->fault());
}

bool Reflector::take_event(WatchEvent event) {
  if (event.type == WatchEvent::Type::kError) return take_error(event.object);
  const std::string version(version_of(event.object));
  const bool is_bookmark = event.type == WatchEvent::Type::kBookmark;
  const bool is_new = event.type == WatchEvent::Type::kUpsert && !version.empty() &&
                      belongs_to(event.object, selection_);
  const bool is_known = is_new || is_bookmark || belongs_to(event.object, selection_);
  if (version.empty() || !is_known) {
    ++counts_.malformed;
    ++counts_.watch_errors;
    end_watch();
    relist_later("an event of a watch cannot be used");
    return false;
  }
  if (is_bookmark) {
    ++counts_.bookmarks;
  } else if (is_new) {
    strip(event.object);
    upsert(event.object);
  } else {
    remove(key_of(event.object));
  }
  progressed_ = progressed_ || version != version_;
  version_ = version;
  heard_us_ = loop_.now_us();
  say("");
  return true;
}

// The answer's status was 200; what went wrong since is told in it.
bool Reflector::take_error(const nlohmann::json& status) {
  const Failure failure = failure_of(status);
  end_watch();
  if (failure.code == kGone) {
    ++counts_.gone;
    relist_at_once(kHistoryGone);
  } else {
    ++counts_.watch_errors;
    relist_later("a watch ended: " + failure.message, failure.retry_after_ms);
  }
  return false;
}

void Reflector::end_watch() {
  if (opened_us_ != 0) {
    seen_us_ = loop_.now_us();
    const uint64_t lived_us = seen_us_ - opened_us_;
    if (lived_us >= uint64_t{kWatchSteadyMs} * 1'000) backoff_.reset();
  }
  opened_us_ = 0;
  drop_call();
}

void Reflector::on_watch_ended(const Reply& reply) {
  const bool was_open = opened_us_ != 0;
  const bool was_short =
      was_open && loop_.now_us() - opened_us_ < uint64_t{options_.watch_short_ms} * 1'000;
  end_watch();
  if (!was_open) return on_watch_refused(reply);
  if (!reply.ok() || !reader_->at_boundary()) {
    ++counts_.watch_errors;
    if (!reply.ok()) return wait_after(reply);
    ++counts_.malformed;
    return relist_later("a watch ended within an event");
  }
  if (was_short && !progressed_) {
    ++counts_.watch_errors;
    return wait("watches end as soon as they are opened");
  }
  backoff_.reset();
  begin_watch();
}

void Reflector::on_watch_refused(const Reply& reply) {
  ++counts_.watch_errors;
  if (reply.status == kGone) {
    ++counts_.gone;
    return relist_at_once(kHistoryGone);
  }
  // Without an answer nothing is known against our version. With one that stays bad, a list says
  // more than a watch: the version may be of another history, as after a restored etcd.
  if (reply.status != 0 && ++refusals_ >= kResumesMax) version_.clear();
  if (reply.ok()) return wait("a watch was answered without events");
  wait_after(reply);
}

// ---- both ----

void Reflector::upsert(const nlohmann::json& object) {
  if (store_.see(object)) return;
  ++counts_.upserts;
  if (handler_.on_upsert(object)) {
    store_.put(object);
  } else {
    store_.erase(key_of(object));
  }
}

void Reflector::remove(const ObjectStore::Key& key) {
  if (!store_.erase(key)) return;
  ++counts_.removes;
  handler_.on_remove(key.first, key.second);
}

// It may be what called.
void Reflector::drop_call() {
  if (call_ == nullptr) return;
  call_->cancel();
  loop_.defer_delete(std::move(call_));
}

void Reflector::wait(std::string problem, uint32_t asked_ms) {
  say(std::move(problem));
  timer_.arm_ms(backoff_.next_ms(random_word(), asked_ms));
}

void Reflector::wait_after(const Reply& reply) {
  const char* remedy = reply.status == kForbiddenStatus ? kForbiddenRemedy : "";
  say(reply.problem + remedy, static_cast<int>(reply.failure) * 1'000 + reply.status);
  timer_.arm_ms(backoff_.next_ms(random_word(), reply.retry_after_ms));
}

void Reflector::relist_later(std::string problem, uint32_t asked_ms) {
  version_.clear();
  wait(std::move(problem), asked_ms);
}

// For what heals by that: the next list is the newest again. If it goes on like that, it waits too.
void Reflector::relist_at_once(const char* problem) {
  if (!backoff_.is_fresh()) return relist_later(problem);
  static_cast<void>(backoff_.next_ms(0));
  version_.clear();
  begin_list();
}

void Reflector::say(std::string problem, int kind) {
  const bool is_known = kind == 0 ? problem == problem_ : kind == problem_kind_;
  if (!is_known && problem.empty()) {
    log::info("kube", "{}: is well again", selection_.text());
  } else if (!is_known) {
    log::warn("kube", "{}: {}", selection_.text(), problem);
  }
  problem_ = std::move(problem);
  problem_kind_ = kind;
}

}  // namespace kg::kube
