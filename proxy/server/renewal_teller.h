// RenewalTeller: the renewals that this process saw, told to the other replicas: each once, many in
// one fact of the feed, at a rate that leaves room for revocations.
//
// Owner:  the Server. Thread: control. Limits: kRenewalFactsAtOnce facts every kRenewalTellMs,
// those
//         that came first; kRenewalsPending wait, and what comes then is told the next time that
//         its user is seen (exchange::kRenewalRetellMs); kRenewalsRemembered people are not told of
//         twice.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "auth/principal.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/watcher.h"
#include "routing/feed/limits.h"
#include "routing/renewal_notice.h"

namespace kg::server {

inline constexpr uint32_t kRenewalTellMs = 200;
inline constexpr size_t kRenewalFactsAtOnce = 40;
inline constexpr uint32_t kRenewalRetryMs = 1'000;  // no controller is there
inline constexpr size_t kRenewalsPending = 16'384;
inline constexpr size_t kRenewalsRemembered = 16'384;
// Below exchange::kRenewalRetellMs, so that what comes then is news.
inline constexpr uint64_t kRenewalSilenceUs = 240'000'000;
static_assert(kRenewalFactsAtOnce * (1'000 / kRenewalTellMs) < feed::kFactsPerSecond,
              "revocations go at once, within the same rate");

class RenewalTeller {
 public:
  // False: no controller is there.
  using Tell =
      std::function<bool(const auth::Place& place, std::span<const routing::Renewal> renewals)>;

  RenewalTeller(event::EventLoop& loop, Tell tell)
      : tell_(std::move(tell)), loop_(loop), timer_(loop, [this] { flush(); }) {}

  void note(const auth::Principal& principal, const auth::Place& place);
  // Another replica told it.
  void hear(std::span<const routing::Renewal> renewals, const auth::Place& place);

 private:
  struct Known {
    int64_t expires_at = 0;
    uint64_t at_us = 0;
  };
  using Where = std::pair<std::string, std::string>;  // namespace, endpoint
  // False: it was told lately.
  bool is_news(const auth::Mark& subject, const Where& where, int64_t expires_at);
  void flush();
  bool tell_some(const Where& where);

  Tell tell_;
  event::EventLoop& loop_;
  event::Timer timer_;
  bool waits_ = false;  // the timer is set
  std::map<Where, std::map<auth::Mark, routing::Renewal>> pending_;
  std::deque<Where> order_;  // of pending_
  size_t pending_count_ = 0;
  std::map<std::pair<Where, auth::Mark>, Known> known_;
};

}  // namespace kg::server
