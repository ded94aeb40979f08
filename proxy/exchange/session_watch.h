// SessionWatch: holds a worker's open WebSockets to the sessions that opened them, for as long as
// they are open: tells their users when a session nears its end, ends them when it has ended or was
// revoked, lets them live on when the same person shows a fresher session anywhere (at another
// replica too), and has a session judged anew where it is believed for a while only, or what it was
// judged by has changed.
//
// Owner:  the WorkerContext; SessionBoard knows those of all workers. Thread: the worker's; other
//         workers and the control thread post.
// Limits: one seat for each open WebSocket. One lazy timer for all; nothing is touched by messages,
//         and by requests only while some WebSocket is open. A person's session is told once in
//         kRenewalRepeatMs at most (to replicas in kRenewalRetellMs) unless it is a fresher one, of
//         kRenewalsKept people.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "auth/principal.h"
#include "auth/revocations.h"
#include "auth/sessions.h"
#include "metrics/worker_metrics.h"
#include "proxy/base/result.h"
#include "proxy/base/secret.h"
#include "proxy/base/session_rules.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/watcher.h"
#include "proxy/exchange/session_plan.h"
#include "routing/renewal_notice.h"

namespace kg::exchange {

using auth::PrincipalRef;

inline constexpr uint32_t kRenewalRetellMs = 300'000;  // a person's news to other replicas
// Of one worker, sessions whose marks are remembered while anything is revoked.
inline constexpr size_t kSessionMarksKept = 4'096;

// What a request showed of its sender, kept so that it can be judged again.
struct ShownCredential {
  Secret token;
  Secret oidc_data;
};
using ShownRef = std::shared_ptr<const ShownCredential>;

// An open WebSocket. Each of these may end it, and with it its seat.
class WatchedSocket {
 public:
  // Tells it where it is seen best, but tell_user_now() tells what has not been told until then.
  virtual void tell_user(const std::string& text) = 0;
  virtual void tell_user_now() = 0;
  virtual void take_notice_back() = 0;
  virtual void expel(ErrorCode why) = 0;
  // Has the session judged by the rules of now, and says judged() at once or later, or never if
  // nothing concerns it. `shown` is what renewed it; null: what its own request showed.
  virtual void recheck(const ShownRef& shown) = 0;
  virtual std::string_view watched_request_id() const noexcept = 0;

 protected:
  ~WatchedSocket() = default;
};

class SessionWatch;

// What the watches of all workers share; filled before the workers run.
class SessionBoard {
 public:
  // Called on the workers' threads.
  using TellReplicas = std::function<void(const PrincipalRef& principal, const auth::Place& place)>;

  void add(SessionWatch& watch) { watches_.push_back(&watch); }
  void tell_replicas(TellReplicas tell) { tell_replicas_ = std::move(tell); }
  // To all but `from`.
  void spread(const SessionWatch& from, const PrincipalRef& principal, const auth::Place& place,
              const ShownRef& shown);
  const TellReplicas& replicas() const noexcept { return tell_replicas_; }

  std::atomic<uint64_t> open{0};  // WebSockets of all workers; changed as they open and end

 private:
  std::vector<SessionWatch*> watches_;
  TellReplicas tell_replicas_;  // null: there are none
};

class SessionWatch {
 public:
  // The watch on one WebSocket; ends with it. Pinned: the watch points at it.
  class Seat {
   public:
    Seat(SessionWatch& watch, WatchedSocket& socket, PrincipalRef principal,
         const auth::Place& place, const SessionRules& rules, auth::SessionsRef sessions,
         uint64_t now_us);
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    const auth::Principal& principal() const noexcept { return *principal_; }
    const std::string& endpoint() const noexcept { return endpoint_; }
    auth::Place place() const noexcept { return {virtual_cluster_, endpoint_}; }
    WatchedSocket& socket() const noexcept { return socket_; }

   private:
    friend class SessionWatch;
    enum class Step : uint8_t { kFirstNotice, kLastNotice, kEnd };
    void plan(uint64_t now_us);
    void believe(uint64_t now_us);
    uint64_t step_us() const noexcept;
    uint64_t due_us() const noexcept { return std::min({step_us(), recheck_us_, tell_us_}); }

    SessionWatch& watch_;
    WatchedSocket& socket_;
    PrincipalRef principal_;
    ShownRef shown_;            // by the request that renewed it
    auth::SessionMarks marks_;  // of the session that counts now
    auth::SessionMarks first_;  // token and session that opened it: revoked, they end it for ever
    std::optional<routing::Renewal> heard_;  // of a replica: it counts beyond what was shown here
    std::string virtual_cluster_;
    std::string endpoint_;
    SessionRules rules_;
    auth::SessionsRef sessions_;  // that judged it
    uint64_t generation_;         // of theirs
    SessionPlan plan_;
    uint64_t recheck_us_ = kNeverUs;
    uint64_t tell_us_ = kNeverUs;  // what has not been told
    uint64_t opened_us_;
    uint64_t person_;
    uint64_t listed_us_ = kNeverUs;  // as it stands in by_due_
    Step next_ = Step::kFirstNotice;
    bool kept_ = false;
    bool leaving_ = false;  // was told to go
  };

  SessionWatch(event::EventLoop& loop, metrics::WorkerMetrics& metrics, SessionBoard& board);

  // A request showed this session, valid now: may open WebSockets not know it yet? Then tell().
  // `now_us` of the wall clock, as everywhere here.
  bool is_news(const auth::Principal& principal, const auth::Place& place, uint64_t now_us);
  void tell(const PrincipalRef& principal, const auth::Place& place, const ShownRef& shown,
            uint64_t now_us);  // those of all workers, and replicas
  void renew(const PrincipalRef& principal, const auth::Place& place, const ShownRef& shown,
             uint64_t now_us);
  // A replica says that a session was renewed. It lets live on, as far as a token may, and revives
  // nothing; where somebody else decides (believed_until) that one is asked, and no replica.
  void hear(const routing::Renewal& renewal, const auth::Place& place, uint64_t now_us);
  // Does what is due and sets the timer for the rest.
  void look(uint64_t now_us);

  void set_revocations(std::shared_ptr<const auth::Revocations> revocations) {
    revocations_ = std::move(revocations);
    if (revocations_->empty()) known_marks_.clear();
  }
  const std::shared_ptr<const auth::Revocations>& revocations() const noexcept {
    return revocations_;
  }
  bool revoked(const PrincipalRef& principal, const auth::Place& place, uint64_t now_us) {
    return !revocations_->empty() &&
           revocations_->revokes(marks_of(principal, place.endpoint), place,
                                 static_cast<int64_t>(now_us / 1'000'000));
  }
  void expel_if_revoked(Seat& seat, uint64_t now_us);
  // Configuration or keys changed: every session is judged anew, spread over kRecheckSpreadMs.
  void recheck_all(uint64_t now_us);
  // Of these endpoints.
  void recheck(const std::set<std::string, std::less<>>& endpoints, uint64_t now_us);
  // What came of it, by `sessions` and under `rules`.
  void judged(Seat& seat, Result<PrincipalRef> who, auth::SessionsRef sessions,
              const SessionRules& rules, uint64_t now_us);
  // Ends what is revoked; how many.
  size_t expel_revoked(uint64_t now_us);

  size_t open() const noexcept { return seats_.size(); }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [person, seat] : seats_) visit(*seat);
  }
  event::EventLoop& loop() noexcept { return loop_; }

 private:
  struct Spread {
    uint64_t end_us = 0;
    uint64_t again_us = 0;
    uint64_t replicas_us = 0;  // told to them again
  };
  // The principal is held, so that no other one gets its address.
  struct KnownMarks {
    PrincipalRef principal;
    std::string endpoint;
    auth::SessionMarks marks;
  };
  const auth::SessionMarks& marks_of(const PrincipalRef& principal, std::string_view endpoint);
  bool revoked(const Seat& seat, uint64_t now_us) const noexcept;
  void extend(Seat& seat, PrincipalRef principal, uint64_t now_us);
  void leave(Seat& seat);
  void list(Seat& seat);
  void unlist(Seat& seat);
  void act(Seat& seat, uint64_t now_us);
  void recheck_soon(Seat& seat, uint64_t now_us);
  void look_at_keys(uint64_t now_us);
  void arm(uint64_t now_us);

  event::EventLoop& loop_;
  metrics::WorkerMetrics& metrics_;
  SessionBoard& board_;
  event::Deadline timer_;
  std::shared_ptr<const auth::Revocations> revocations_;
  std::unordered_map<const auth::Principal*, KnownMarks> known_marks_;
  std::unordered_multimap<uint64_t, Seat*> seats_;  // by person
  std::set<std::pair<uint64_t, Seat*>> by_due_;
  uint64_t keys_look_us_ = 0;
  std::unordered_map<uint64_t, Spread> spread_;  // by person: what was told lately
};

}  // namespace kg::exchange
