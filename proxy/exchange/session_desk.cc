#include "proxy/exchange/session_desk.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "proxy/base/limits.h"

namespace kg::exchange {
namespace {

using auth::Proof;
using auth::SessionCache;

std::string_view credential_of(Proof proof, const auth::Evidence& evidence) {
  switch (proof) {
    case Proof::kToken:
      return evidence.token;
    case Proof::kLoadBalancer:
      return evidence.oidc_data;
    case Proof::kCertificate:
      return evidence.certificate->fingerprint;
  }
  return {};
}

auth::PrincipalRef shared(auth::Principal principal, Proof proof) {
  principal.proof = proof;
  return std::make_shared<const auth::Principal>(std::move(principal));
}

}  // namespace

std::optional<Result<auth::PrincipalRef>> SessionDesk::recognise(const auth::SessionsRef& sessions,
                                                                 const auth::Evidence& evidence,
                                                                 const Caller& caller, int64_t now,
                                                                 SessionWaiter& waiter) {
  Result<auth::PrincipalRef> who = Error{ErrorCode::kUnauthorized, "no credential", 0};
  for (const Proof proof : sessions->proofs()) {
    if (!evidence.has(proof)) continue;
    Finding found = judge(sessions, proof, evidence, caller, now, waiter);
    if (found.kind == Finding::Kind::kAsked) return std::nullopt;
    who = std::move(found.who);
    if (found.kind == Finding::Kind::kDecided) break;
  }
  return who;
}

SessionDesk::Finding SessionDesk::judge(const auth::SessionsRef& sessions, Proof proof,
                                        const auth::Evidence& evidence, const Caller& caller,
                                        int64_t now, SessionWaiter& waiter) {
  using Kind = Finding::Kind;
  const std::string_view credential = credential_of(proof, evidence);
  if (credential.size() > limits::kCredentialBytesMax) {  // not worth a hash
    return {Kind::kDecided, Error{ErrorCode::kUnauthorized, "credential is too large", 0}};
  }
  const SessionCache::Key key = cache_.key_of(*sessions, proof, credential);
  if (auth::PrincipalRef known = cache_.find(key, caller.slot, now)) {
    metrics_.session_cache_hits.add();
    return {Kind::kDecided, std::move(known)};
  }
  if (const std::optional<Error> refused = cache_.find_refusal(key, now)) {
    metrics_.session_cache_hits.add();
    return {Kind::kDecided, *refused};
  }
  metrics_.session_cache_misses.add();
  return verify(key, sessions, proof, evidence, caller, now, waiter);
}

SessionDesk::Finding SessionDesk::verify(const SessionCache::Key& key,
                                         const auth::SessionsRef& sessions, Proof proof,
                                         const auth::Evidence& evidence, const Caller& caller,
                                         int64_t now, SessionWaiter& waiter) {
  using Kind = Finding::Kind;
  const uint64_t now_us = event::monotonic_us();
  if (!budget_.allows(caller.address, now_us)) {
    metrics_.hit(metrics::Limit::kSessionChecks);
    return {Kind::kDecided, Error{ErrorCode::kTooManyRequests, "bad credentials before", 0}};
  }
  const uint64_t before_us = auth::thread_cpu_us();
  auth::Sessions::Judged judged = sessions->judge(proof, evidence, now);
  auth::Verdict& verdict = judged.verdict;
  switch (verdict.kind) {
    case auth::Verdict::Kind::kNotMine:
    case auth::Verdict::Kind::kRefused: {
      budget_.spend(caller.address, now_us, auth::thread_cpu_us() - before_us);
      if (verdict.kind == auth::Verdict::Kind::kNotMine) return {Kind::kNobodys, verdict.error};
      remember_refusal(key, verdict.error, now);
      return {Kind::kDecided, verdict.error};
    }
    case auth::Verdict::Kind::kPrincipal: {
      auth::PrincipalRef principal = shared(std::move(verdict.principal), proof);
      cache_.remember(key, &caller.slot, {principal, judged.link, judged.generation});
      return {Kind::kDecided, std::move(principal)};
    }
    case auth::Verdict::Kind::kAsk:
      break;
  }
  const Error busy{ErrorCode::kSessionUnknown, "too many questions wait for an answer", 0};
  const bool asked = ask(key, sessions, judged, evidence, caller.address, now, waiter);
  return {asked ? Kind::kAsked : Kind::kDecided, busy};
}

bool SessionDesk::ask(const SessionCache::Key& key, const auth::SessionsRef& sessions,
                      const auth::Sessions::Judged& judged, const auth::Evidence& evidence,
                      std::string_view client, int64_t now, SessionWaiter& waiter) {
  if (const auto open = questions_.find(key); open != questions_.end()) {
    open->second.waiters.push_back(&waiter);
    return true;
  }
  if (questions_.size() >= limits::kSessionAsksMax) return false;
  budget_.spend(client, event::monotonic_us(), auth::kAskCostUs);
  questions_.emplace(
      key, Question{sessions, judged.link, judged.generation, now, std::string(client), {&waiter}});
  judged.link->ask(evidence, now, [this, key](auth::Verdict verdict) {
    loop_.post(
        [this, key, verdict = std::move(verdict)]() mutable { answered(key, std::move(verdict)); });
  });
  return true;
}

void SessionDesk::answered(const SessionCache::Key& key, auth::Verdict verdict) {
  const auto open = questions_.find(key);
  if (open == questions_.end()) return;
  const Question question = std::move(open->second);
  questions_.erase(open);
  Result<auth::PrincipalRef> who = verdict.error;
  const bool proves = verdict.kind == auth::Verdict::Kind::kPrincipal;
  if (proves || verdict.error.code == ErrorCode::kSessionUnknown) {
    budget_.refund(question.client, auth::kAskCostUs);
  }
  if (proves) {
    who = shared(std::move(verdict.principal), question.link->proof());
    cache_.remember(key, nullptr, {*who, question.link, question.generation});
  } else {
    remember_refusal(key, verdict.error, question.asked_at);
  }
  for (SessionWaiter* waiter : question.waiters) waiter->on_session(who);
}

// That nobody could be asked says nothing about the credential.
void SessionDesk::remember_refusal(const SessionCache::Key& key, const Error& why, int64_t now) {
  if (why.code != ErrorCode::kSessionUnknown) cache_.remember_refusal(key, why, now);
}

void SessionDesk::cancel(SessionWaiter& waiter) {
  for (auto& [key, question] : questions_) {
    auto& waiters = question.waiters;
    waiters.erase(std::remove(waiters.begin(), waiters.end(), &waiter), waiters.end());
  }
}

}  // namespace kg::exchange
