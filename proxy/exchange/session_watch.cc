#include "proxy/exchange/session_watch.h"

#include <algorithm>
#include <cstring>

#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::exchange {
namespace {

// Only a place to look: whoever finds something there compares the names, or the whole mark.
uint64_t news_of(const auth::Principal& principal, std::string_view endpoint) noexcept {
  const std::hash<std::string_view> hash;
  return (hash(principal.subject) * 31 + hash(principal.realm)) * 31 + hash(endpoint);
}
uint64_t person_of(const auth::Mark& subject) noexcept {
  uint64_t out = 0;
  std::memcpy(&out, subject.data(), sizeof out);
  return out;
}

uint64_t generation_of(const auth::SessionsRef& sessions) noexcept {
  return sessions == nullptr ? 0 : sessions->generation();
}

// So that those who came together do not all ask together.
uint64_t jitter_us() noexcept {
  uint32_t random = 0;
  crypto::random_bytes(&random, sizeof random);
  return random % (uint64_t{limits::kRecheckSpreadMs} * 1'000);
}

bool same_place(const auth::Place& a, const auth::Place& b) noexcept {
  return a.endpoint == b.endpoint && a.virtual_cluster == b.virtual_cluster;
}

// The same one, as far as a replica's word goes.
PrincipalRef renewed(const auth::Principal& principal, const routing::Renewal& renewal) {
  auto out = std::make_shared<auth::Principal>(principal);
  out->issued_at = renewal.issued_at;
  out->expires_at = renewal.expires_at;
  return out;
}

// A later end; or, with the same, later to be asked for again.
bool outlives(const auth::Principal& fresh, const auth::Principal& old) noexcept {
  const uint64_t fresh_us = session_end_us(fresh);
  const uint64_t old_us = session_end_us(old);
  return fresh_us > old_us || (fresh_us == old_us && fresh.believed_until > old.believed_until);
}

// By what it said while it counted. One that is over may live on by a replica's word, or by the
// rules, and is held to the policy of now all the same.
bool is_forbidden(const auth::SessionsRef& sessions, const auth::Principal& over) {
  if (sessions == nullptr) return false;
  const Result<void> allowed = sessions->policy().allow(over, /*now=*/0);
  return !allowed && allowed.error().code == ErrorCode::kForbidden;
}

}  // namespace

void SessionBoard::spread(const SessionWatch& from, const PrincipalRef& principal,
                          const auth::Place& place, const ShownRef& shown) {
  for (SessionWatch* watch : watches_) {
    if (watch == &from) continue;
    watch->loop().post([watch, principal, cluster = std::string(place.virtual_cluster),
                        endpoint = std::string(place.endpoint), shown] {
      watch->renew(principal, {cluster, endpoint}, shown, event::wall_us());
    });
  }
}

SessionWatch::Seat::Seat(SessionWatch& watch, WatchedSocket& socket, PrincipalRef principal,
                         const auth::Place& place, const SessionRules& rules,
                         auth::SessionsRef sessions, uint64_t now_us)
    : watch_(watch),
      socket_(socket),
      principal_(std::move(principal)),
      marks_(auth::marks_of(*principal_, place.endpoint)),
      virtual_cluster_(place.virtual_cluster),
      endpoint_(place.endpoint),
      rules_(rules),
      sessions_(std::move(sessions)),
      generation_(generation_of(sessions_)),
      opened_us_(now_us),
      person_(person_of(marks_.subject)) {
  first_.token = marks_.token;
  first_.session = marks_.session;
  first_.issued_at = marks_.issued_at;
  plan(now_us);
  believe(now_us);
  watch_.seats_.emplace(person_, this);
  watch_.board_.open.fetch_add(1, std::memory_order_relaxed);
  watch_.list(*this);
  watch_.arm(now_us);
}

SessionWatch::Seat::~Seat() {
  watch_.unlist(*this);
  watch_.board_.open.fetch_sub(1, std::memory_order_relaxed);
  const auto [first, last] = watch_.seats_.equal_range(person_);
  watch_.seats_.erase(
      std::find_if(first, last, [this](const auto& entry) { return entry.second == this; }));
}

void SessionWatch::Seat::plan(uint64_t now_us) {
  const SessionPlan fresh = SessionPlan::make(*principal_, rules_, opened_us_, now_us, kept_);
  if (fresh.end_us != plan_.end_us) next_ = Step::kFirstNotice;  // else its user knows
  plan_ = fresh;
}

// When somebody has to be asked for it again.
void SessionWatch::Seat::believe(uint64_t now_us) {
  recheck_us_ = kNeverUs;
  if (principal_->believed_until <= 0) return;
  const uint64_t until_us = static_cast<uint64_t>(principal_->believed_until) * 1'000'000;
  recheck_us_ = std::max(until_us, now_us) + jitter_us();
}

uint64_t SessionWatch::Seat::step_us() const noexcept {
  switch (next_) {
    case Step::kFirstNotice:
      return plan_.first_notice_us;
    case Step::kLastNotice:
      return plan_.last_notice_us;
    case Step::kEnd:
      return plan_.end_us;
  }
  return kNeverUs;
}

SessionWatch::SessionWatch(event::EventLoop& loop, metrics::WorkerMetrics& metrics,
                           SessionBoard& board)
    : loop_(loop),
      metrics_(metrics),
      board_(board),
      timer_(loop, [this] { look(event::wall_us()); }),
      revocations_(std::make_shared<const auth::Revocations>()) {
  board_.add(*this);
}

bool SessionWatch::is_news(const auth::Principal& principal, const auth::Place& place,
                           uint64_t now_us) {
  const bool open = board_.open.load(std::memory_order_relaxed) > 0;
  if (!open && board_.replicas() == nullptr) return false;
  if (spread_.size() >= limits::kRenewalsKept) spread_.clear();
  const uint64_t end_us = session_end_us(principal);
  Spread& known = spread_[news_of(principal, place.endpoint)];
  const bool fresher = end_us > known.end_us;
  if (!fresher && now_us < (open ? known.again_us : known.replicas_us)) return false;
  if (fresher) known.replicas_us = 0;
  known.end_us = end_us;
  known.again_us = now_us + uint64_t{limits::kRenewalRepeatMs} * 1'000;
  return true;
}

void SessionWatch::tell(const PrincipalRef& principal, const auth::Place& place,
                        const ShownRef& shown, uint64_t now_us) {
  if (board_.open.load(std::memory_order_relaxed) > 0) {
    renew(principal, place, shown, now_us);
    board_.spread(*this, principal, place, shown);
  }
  if (board_.replicas() == nullptr) return;
  Spread& known = spread_[news_of(*principal, place.endpoint)];
  if (now_us < known.replicas_us) return;
  known.replicas_us = now_us + uint64_t{kRenewalRetellMs} * 1'000;
  // Sessions without an end need no renewal, and of others' judgements each replica asks itself.
  if (principal->expires_at <= 0 || principal->believed_until > 0) return;
  board_.replicas()(principal, place);
}

void SessionWatch::renew(const PrincipalRef& principal, const auth::Place& place,
                         const ShownRef& shown, uint64_t now_us) {
  if (seats_.empty()) return;
  const auth::SessionMarks marks = auth::marks_of(*principal, place.endpoint);
  const auto [first, last] = seats_.equal_range(person_of(marks.subject));
  for (auto entry = first; entry != last; ++entry) {
    Seat& seat = *entry->second;
    if (seat.leaving_ || marks.subject != seat.marks_.subject || !same_place(place, seat.place()) ||
        !outlives(*principal, *seat.principal_)) {
      continue;
    }
    seat.shown_ = shown;
    seat.marks_ = marks;
    seat.heard_.reset();
    extend(seat, principal, now_us);
  }
  arm(now_us);
}

void SessionWatch::extend(Seat& seat, PrincipalRef principal, uint64_t now_us) {
  unlist(seat);
  const bool later = session_end_us(*principal) > session_end_us(*seat.principal_);
  seat.principal_ = std::move(principal);
  seat.believe(now_us);
  if (later) {
    seat.kept_ = false;
    seat.plan(now_us);
    seat.tell_us_ = kNeverUs;
    seat.socket_.take_notice_back();
    metrics_.websockets_renewed.add();
  }
  list(seat);
}

void SessionWatch::hear(const routing::Renewal& renewal, const auth::Place& place,
                        uint64_t now_us) {
  const auto now = static_cast<int64_t>(now_us / 1'000'000);
  routing::Renewal bounded = renewal;
  bounded.expires_at = std::min(renewal.expires_at, now + limits::kRevocationSeconds);
  const auto [first, last] = seats_.equal_range(person_of(renewal.subject));
  for (auto entry = first; entry != last; ++entry) {
    Seat& seat = *entry->second;
    const auth::Principal& who = *seat.principal_;
    if (seat.leaving_ || renewal.subject != seat.marks_.subject ||
        !same_place(place, seat.place()) || who.expires_at <= 0 || who.believed_until > 0 ||
        bounded.expires_at <= std::max(who.expires_at, now)) {
      continue;
    }
    const auth::SessionMarks fresh{renewal.token, renewal.session, seat.marks_.subject,
                                   seat.marks_.endpoint, renewal.issued_at};
    if (revocations_->revokes(fresh, seat.place(), now)) continue;
    seat.marks_ = fresh;
    seat.heard_ = bounded;
    extend(seat, renewed(who, bounded), now_us);
  }
  arm(now_us);
}

void SessionWatch::look(uint64_t now_us) {
  look_at_keys(now_us);
  // Whatever one does ends no other.
  while (!by_due_.empty() && by_due_.begin()->first <= now_us)
    act(*by_due_.begin()->second, now_us);
  arm(now_us);
}

// One step of a seat; where several are due, only the last of them. The seat may be gone after it.
void SessionWatch::act(Seat& seat, uint64_t now_us) {
  using Step = Seat::Step;
  unlist(seat);
  if (seat.recheck_us_ <= now_us) {
    // Anew, should there be no answer: the last one would count for ever otherwise.
    seat.recheck_us_ = now_us + uint64_t{limits::kRecheckRetryMs} * 1'000;
    list(seat);
    return seat.socket_.recheck(seat.shown_);
  }
  if (seat.tell_us_ <= now_us) {
    seat.tell_us_ = kNeverUs;
    list(seat);
    return seat.socket_.tell_user_now();
  }
  if (now_us < seat.plan_.end_us) {
    seat.next_ = now_us < seat.plan_.last_notice_us ? Step::kLastNotice : Step::kEnd;
    if (seat.plan_.keeps) seat.next_ = Step::kEnd;
    seat.tell_us_ = now_us + (seat.step_us() - now_us) / 2;
    list(seat);
    return seat.socket_.tell_user(seat.plan_.notice(now_us, seat.socket_.watched_request_id()));
  }
  if (!seat.plan_.keeps) {
    leave(seat);
    if (!seat.plan_.by_lifetime) metrics_.websockets_expired.add();
    return seat.socket_.expel(seat.plan_.why());
  }
  seat.kept_ = true;
  metrics_.websockets_kept.add();
  log::info("session", "a WebSocket stays open although its session has ended request={}",
            seat.socket_.watched_request_id());
  seat.plan(now_us);
  list(seat);
}

void SessionWatch::list(Seat& seat) {
  seat.listed_us_ = seat.due_us();
  if (seat.listed_us_ != kNeverUs) by_due_.emplace(seat.listed_us_, &seat);
}

void SessionWatch::unlist(Seat& seat) {
  if (seat.listed_us_ != kNeverUs) by_due_.erase({seat.listed_us_, &seat});
  seat.listed_us_ = kNeverUs;
}

void SessionWatch::arm(uint64_t now_us) {
  if (seats_.empty()) return timer_.clear();
  uint64_t wait_ms = limits::kKeysLookMs;
  if (!by_due_.empty()) {
    const uint64_t due_us = by_due_.begin()->first;
    wait_ms = std::min(wait_ms, due_us > now_us ? (due_us - now_us + 999) / 1'000 : 0);
  }
  timer_.set_ms(wait_ms);
}

void SessionWatch::look_at_keys(uint64_t now_us) {
  if (now_us < keys_look_us_) return;
  keys_look_us_ = now_us + uint64_t{limits::kKeysLookMs} * 1'000;
  for (const auto& [person, seat] : seats_) {
    if (generation_of(seat->sessions_) != seat->generation_) recheck_soon(*seat, now_us);
  }
}

void SessionWatch::recheck_all(uint64_t now_us) {
  for (const auto& [person, seat] : seats_) recheck_soon(*seat, now_us);
  arm(now_us);
}

void SessionWatch::recheck(const std::set<std::string, std::less<>>& endpoints, uint64_t now_us) {
  for (const auto& [person, seat] : seats_) {
    if (endpoints.contains(seat->endpoint())) recheck_soon(*seat, now_us);
  }
  arm(now_us);
}

void SessionWatch::recheck_soon(Seat& seat, uint64_t now_us) {
  if (seat.leaving_) return;
  unlist(seat);
  seat.recheck_us_ = std::min(seat.recheck_us_, now_us + jitter_us());
  list(seat);
}

void SessionWatch::judged(Seat& seat, Result<PrincipalRef> who, auth::SessionsRef sessions,
                          const SessionRules& rules, uint64_t now_us) {
  if (seat.leaving_) return;
  ErrorCode fault = who ? ErrorCode::kNone : who.error().code;
  if (fault == ErrorCode::kSessionExpired && is_forbidden(sessions, *seat.principal_)) {
    fault = ErrorCode::kForbidden;
  }
  if (fault == ErrorCode::kUnauthorized || fault == ErrorCode::kForbidden) {
    metrics_.websockets_revoked.add();
    leave(seat);
    return seat.socket_.expel(fault == ErrorCode::kForbidden ? fault : ErrorCode::kSessionRevoked);
  }
  const bool expired = fault == ErrorCode::kSessionExpired;
  if (!who && !expired) return;  // it could not be judged: act() asks again
  // What a replica heard counts on beyond what was shown here.
  if (who && seat.heard_ && seat.heard_->expires_at > (*who)->expires_at) {
    who = renewed(**who, *seat.heard_);
  }
  unlist(seat);
  const bool planned_anew =
      rules != seat.rules_ || (who && (*who)->expires_at != seat.principal_->expires_at);
  if (who) seat.principal_ = *std::move(who);
  seat.sessions_ = std::move(sessions);
  seat.generation_ = generation_of(seat.sessions_);
  seat.rules_ = rules;
  seat.believe(now_us);
  if (expired) seat.recheck_us_ = kNeverUs;  // the plan says what comes of that
  if (planned_anew) seat.plan(now_us);
  list(seat);
  arm(now_us);
}

const auth::SessionMarks& SessionWatch::marks_of(const PrincipalRef& principal,
                                                 std::string_view endpoint) {
  if (known_marks_.size() >= kSessionMarksKept) known_marks_.clear();
  KnownMarks& known = known_marks_[principal.get()];
  if (known.principal == nullptr || known.endpoint != endpoint) {
    known = {principal, std::string(endpoint), auth::marks_of(*principal, endpoint)};
  }
  return known.marks;
}

bool SessionWatch::revoked(const Seat& seat, uint64_t now_us) const noexcept {
  const auto now = static_cast<int64_t>(now_us / 1'000'000);
  return revocations_->revokes(seat.marks_, seat.place(), now) ||
         revocations_->revokes(seat.first_, seat.place(), now);
}

void SessionWatch::expel_if_revoked(Seat& seat, uint64_t now_us) {
  if (!revoked(seat, now_us)) return;
  metrics_.websockets_revoked.add();
  leave(seat);
  seat.socket_.expel(ErrorCode::kSessionRevoked);
}

// It is told to go: nothing else is said to it, and nothing keeps it.
void SessionWatch::leave(Seat& seat) {
  seat.leaving_ = true;
  unlist(seat);
}

size_t SessionWatch::expel_revoked(uint64_t now_us) {
  std::vector<WatchedSocket*> leaving;  // their seats may die at once
  for (const auto& [person, seat] : seats_) {
    if (seat->leaving_ || !revoked(*seat, now_us)) continue;
    leave(*seat);
    leaving.push_back(&seat->socket_);
  }
  for (WatchedSocket* socket : leaving) socket->expel(ErrorCode::kSessionRevoked);
  metrics_.websockets_revoked.add(leaving.size());
  return leaving.size();
}

}  // namespace kg::exchange
