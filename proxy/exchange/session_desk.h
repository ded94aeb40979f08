// SessionDesk: who sends a request, said at once where this worker knows or can tell, later where
// somebody else has to be asked over the network.
//
// Owner:  the worker's context. Thread: the worker's; answers of the network thread arrive by a
// post
//         to its loop.
// Limits: kSessionAsksMax questions at a time, above it kSessionUnknown; one question for one
//         credential, however many requests wait for it. Credentials that prove nothing take a
//         client's CheckBudget; when it is spent, unknown ones are kTooManyRequests unseen.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/check_budget.h"
#include "auth/session_cache.h"
#include "metrics/worker_metrics.h"
#include "proxy/base/result.h"
#include "proxy/event/event_loop.h"

namespace kg::exchange {

class SessionWaiter {
 public:
  virtual void on_session(Result<auth::PrincipalRef> who) = 0;

 protected:
  ~SessionWaiter() = default;
};

// Who shows a credential: the memory of its connection, and its address as text.
struct Caller {
  auth::SessionCache::Slot& slot;
  std::string_view address;
};

class SessionDesk {
 public:
  SessionDesk(event::EventLoop& loop, metrics::WorkerMetrics& metrics)
      : loop_(loop), metrics_(metrics) {}

  // Who it is; what that principal may do is the policy's. nullopt: on_session() follows, in a
  // later turn, unless cancel() comes first. `now`: seconds since the epoch.
  std::optional<Result<auth::PrincipalRef>> recognise(const auth::SessionsRef& sessions,
                                                      const auth::Evidence& evidence,
                                                      const Caller& caller, int64_t now,
                                                      SessionWaiter& waiter);
  void cancel(SessionWaiter& waiter);
  // New routes: what was verified for the old ones is forgotten.
  void forget_all() { cache_.forget_all(); }

 private:
  struct Question {
    auth::SessionsRef sessions;  // keeps link alive until the answer
    const auth::Authenticator* link;
    uint64_t generation;  // of link, when it was asked
    int64_t asked_at;     // seconds since the epoch
    std::string client;   // who made us ask; a refusal is on its account
    std::vector<SessionWaiter*> waiters;
  };

  // What one proof led to: the next one is looked at only if nobody recognised this one.
  struct Finding {
    enum class Kind : uint8_t { kNobodys, kDecided, kAsked };
    Kind kind;
    Result<auth::PrincipalRef> who;  // an error unless somebody was recognised
  };
  Finding judge(const auth::SessionsRef& sessions, auth::Proof proof,
                const auth::Evidence& evidence, const Caller& caller, int64_t now,
                SessionWaiter& waiter);
  Finding verify(const auth::SessionCache::Key& key, const auth::SessionsRef& sessions,
                 auth::Proof proof, const auth::Evidence& evidence, const Caller& caller,
                 int64_t now, SessionWaiter& waiter);
  bool ask(const auth::SessionCache::Key& key, const auth::SessionsRef& sessions,
           const auth::Sessions::Judged& judged, const auth::Evidence& evidence,
           std::string_view client, int64_t now, SessionWaiter& waiter);
  void remember_refusal(const auth::SessionCache::Key& key, const Error& why, int64_t now);
  void answered(const auth::SessionCache::Key& key, auth::Verdict verdict);

  event::EventLoop& loop_;
  metrics::WorkerMetrics& metrics_;
  auth::SessionCache cache_;
  auth::CheckBudget budget_;
  std::unordered_map<auth::SessionCache::Key, Question, auth::SessionCache::KeyHash> questions_;
};

}  // namespace kg::exchange
