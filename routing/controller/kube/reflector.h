// Reflector: tells a handler what the API server holds of one selection, by list and watch. Its
// store has of each object which one and which version it is, and nothing of what is in it.
//
// What it promises a Handler: after on_synced() the store never has a moment with less than the
// server had. Whatever breaks (a connection, the server, a line, history that is gone) leaves the
// store as it is; then either the watch goes on from the last version, or everything is listed anew
// and the difference is told: changed and new objects page by page, and once the list is complete
// those that are gone.
//
//   list, page by page ──▶ tell what is gone ──▶ watch from the list's version ──┐
//     ▲  ▲ 410 on a later page: from the start    │ ▲ ended by time, cut off,    │
//     │  └─ 429, 5xx, no answer: wait             │ └── 429, 5xx: wait, resume ──┤
//     └──── 410, a line that cannot be read, kResumesMax refusals in a row ──────┘
//
// Waits double from kBackoffMs to kBackoffMsMax, with jitter; a server's Retry-After counts.
// Owner:  the controller, one per selection. Thread: the loop's. Not destroyed within a callback.
// Limits: limits.h; of a list no more than a page is held, and how many objects are kept is for the
//         handler to decide. Errors: counted, and logged once as long as they stay the same.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "proxy/event/event_loop.h"
#include "proxy/event/watcher.h"
#include "routing/controller/kube/backoff.h"
#include "routing/controller/kube/client.h"
#include "routing/controller/kube/limits.h"
#include "routing/controller/kube/list_page.h"
#include "routing/controller/kube/object_store.h"
#include "routing/controller/kube/selection.h"
#include "routing/controller/kube/watch_reader.h"

namespace kg::kube {

inline constexpr int kForbiddenStatus = 403;

class Handler {
 public:
  // New or changed: with kind and apiVersion, without managedFields. Of another uid than before: it
  // was deleted in between. Valid during the call: what is needed of it is for the handler to keep.
  // False: it keeps nothing of the object, and hears no more of it but further versions.
  virtual bool on_upsert(const nlohmann::json& object) = 0;
  virtual void on_remove(const std::string& namespace_name, const std::string& name) = 0;
  // Once: the first list is told whole.
  virtual void on_synced() = 0;

 protected:
  ~Handler() = default;
};

struct ReflectorOptions {
  uint32_t backoff_ms = kBackoffMs;
  uint32_t backoff_ms_max = kBackoffMsMax;
  uint32_t watch_ms = kWatchMs;
  uint32_t watch_spread_ms = kWatchSpreadMs;
  uint32_t watch_short_ms = kWatchShortMs;
  uint32_t page_objects = kPageObjects;
};

// Since the start.
struct ReflectorCounts {
  uint64_t lists = 0;         // that came whole and were told
  uint64_t list_errors = 0;   // tries that did not
  uint64_t restarts = 0;      // of them: a continue token had expired
  uint64_t watches = 0;       // that were answered 200
  uint64_t watch_errors = 0;  // that were not, or broke
  uint64_t gone = 0;          // 410: history was gone
  uint64_t malformed = 0;     // lists, lines and events that could not be used
  uint64_t upserts = 0;       // told to the handler
  uint64_t removes = 0;
  uint64_t bookmarks = 0;
};

class Reflector final : StreamHandler {
 public:
  Reflector(event::EventLoop& loop, Client& client, Selection selection, Handler& handler,
            ReflectorOptions options = {});
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  void start();
  // What is kept of a version or not may be decided otherwise now: lists everything anew, unless
  // that is under way.
  void relist();

  // It is known from elsewhere that the server has none of these objects: the first list counts as
  // come, and goes on being tried.
  void assume_empty();

  const ObjectStore& store() const noexcept { return store_; }
  const Selection& selection() const noexcept { return selection_; }
  const ReflectorCounts& counts() const noexcept { return counts_; }
  bool synced() const noexcept { return synced_; }
  // How long changes may have gone unseen: 0 while a watch is open.
  uint64_t lag_us() const noexcept;
  // When the server last said something of these objects, bookmarks included; 0: never.
  uint64_t heard_us() const noexcept { return heard_us_; }
  // What is wrong at the moment, "" if nothing is.
  std::string_view problem() const noexcept {
    return opened_us_ == 0 ? std::string_view(problem_) : std::string_view();
  }
  // That problem is the server's 403: no right to list or watch.
  bool is_forbidden() const noexcept {
    return !problem().empty() && problem_kind_ == kForbiddenStatus;
  }

 private:
  void go_on();
  // The list.
  void begin_list();
  void ask_page();
  void on_page(const Reply& reply);
  void on_page_failed(const Reply& reply);
  void end_list(std::string resource_version);
  // The watch.
  void begin_watch();
  void on_stream_open() override;
  void on_stream_bytes(std::string_view bytes) override;
  bool take_event(WatchEvent event);
  bool take_error(const nlohmann::json& status);
  void end_watch();
  void on_watch_ended(const Reply& reply);
  void on_watch_refused(const Reply& reply);
  // Both.
  void upsert(const nlohmann::json& object);
  void remove(const ObjectStore::Key& key);
  void drop_call();
  void wait(std::string problem, uint32_t asked_ms = 0);  // what the server asks for
  void wait_after(const Reply& reply);
  void relist_later(std::string problem, uint32_t asked_ms = 0);
  void relist_at_once(const char* problem);
  void say(std::string problem, int kind = 0);

  event::EventLoop& loop_;
  Client& client_;
  const Selection selection_;
  Handler& handler_;
  const ReflectorOptions options_;
  ObjectStore store_;
  ReflectorCounts counts_;
  Backoff backoff_;
  event::Timer timer_;
  std::unique_ptr<Call> call_;

  std::string version_;  // to watch from; "": everything has to be listed
  uint32_t page_objects_;
  uint32_t pages_ = 0;  // of the list under way
  std::string next_;    // its continue token
  std::unique_ptr<WatchReader> reader_;
  uint64_t opened_us_ = 0;   // of the watch under way, 0: it is not open
  bool progressed_ = false;  // it brought a new version
  uint32_t refusals_ = 0;    // watches in a row that the server did not answer with 200
  bool synced_ = false;
  uint64_t heard_us_ = 0;
  uint64_t seen_us_ = 0;  // when what is in the store was the newest for certain
  std::string problem_;
  // Of replies, failure and status: their texts differ in milliseconds and ids.
  int problem_kind_ = 0;
};

}  // namespace kg::kube
