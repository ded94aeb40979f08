#include "proxy/server/session_control.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <numeric>
#include <utility>

#include "auth/key_file.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::server {
namespace {

constexpr size_t kTokenBytesMin = 16;
constexpr size_t kTokenBytesMax = 1'024;
constexpr uint32_t kHeardMs = 20;
constexpr uint64_t kHeardPauseUs = 200'000;  // from one time to the next: each looks at all that is
constexpr uint64_t kNoRoomLogUs = 10'000'000;  // who says too much must not fill the log

int64_t now_seconds() { return static_cast<int64_t>(event::wall_us() / 1'000'000); }

// An operator's call. Of a token or a session only the id is known.
metrics::AuditRecord audit_record(metrics::AuditEvent event, const auth::Revocation& revocation) {
  metrics::AuditRecord out;
  out.time_us = event::wall_us();
  out.event = event;
  out.result = "ok";
  out.actor = "admin";
  switch (revocation.kind) {
    case auth::RevocationKind::kToken:
    case auth::RevocationKind::kSession:
      out.session = revocation.name;
      break;
    case auth::RevocationKind::kSubject:
      out.realm = revocation.realm;
      out.subject = revocation.name;
      break;
    case auth::RevocationKind::kEndpoint:
      out.endpoint = revocation.name;
      break;
  }
  return out;
}

}  // namespace

Secret read_admin_token(const std::string& file, std::string& problem) {
  const auth::KeyFile read = auth::read_key_file(file);
  problem = read.error;
  if (!problem.empty()) return {};
  std::string_view token = read.text.reveal();
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.remove_suffix(1);
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (printable && token.size() >= kTokenBytesMin && token.size() <= kTokenBytesMax) {
    return Secret(std::string(token));
  }
  problem = file + " is not one line of 16 to 1024 printable characters";
  return {};
}

void SessionControl::start(const config::Config& config, std::vector<auth::Revocation> revocations,
                           Secret admin_token) {
  keeper_.adopt(config.revocations_file, std::move(revocations));
  set_token(std::move(admin_token));
  const RevocationKeeper::Set set = keeper_.make(now_seconds());
  for (Worker* worker : workers_) worker->set_revocations(set);
}

void SessionControl::adopt(const config::Config& config, std::vector<auth::Revocation> revocations,
                           Secret admin_token) {
  keeper_.adopt(config.revocations_file, std::move(revocations));
  set_token(std::move(admin_token));
  publish();
}

void SessionControl::set_token(Secret token) {
  if (admin_ != nullptr) admin_->set_token(std::move(token));
}

Result<uint16_t> SessionControl::listen(const event::SocketAddress& address, PodActions& pods,
                                        FeedActions& feed) {
  AdminActions& actions = *this;
  admin_ = std::make_unique<Admin>(loop_, actions, pods, feed);
  return admin_->listen(address);
}

void SessionControl::look() {
  if (keeper_.look()) publish();
  if (replicas_ != nullptr) outbox_.retell(*replicas_, loop_.now_us(), now_seconds());
}

Revoked SessionControl::revoke(auth::Revocation revocation) {
  Revoked out;
  if (replicas_ != nullptr && !replicas_->may_say(revocation.scope) && !revocation.scope.empty()) {
    out.outcome = Revoked::Outcome::kNotOurs;
    return out;
  }
  if (!keeper_.add(revocation, now_seconds())) {
    out.outcome = Revoked::Outcome::kNoRoom;
    return out;
  }
  const std::optional<size_t> ended = publish();
  if (!ended) out.outcome = Revoked::Outcome::kNoAnswer;
  out.websockets_ended = ended.value_or(0);
  log::info("session", "revoked by an admin call kind={} websockets_ended={}",
            auth::kind_name(revocation.kind), out.websockets_ended);
  logs_.audit(audit_record(metrics::AuditEvent::kRevoke, revocation));
  if (replicas_ != nullptr) {
    out.told = outbox_.put(*replicas_, true, revocation, {}, loop_.now_us());
    if (out.told.how == Told::How::kNobody) {
      log::error("session",
                 "no controller hears of a revocation, which is this replica's alone until one "
                 "answers kind={}",
                 auth::kind_name(revocation.kind));
    }
  }
  return out;
}

void SessionControl::hear(const routing::RevocationNotice& notice) {
  bool is_new = false;
  if (notice.revoked) {
    const RevocationKeeper::Heard heard = keeper_.hear(notice.revocation, now_seconds());
    is_new = heard == RevocationKeeper::Heard::kNew;
    if (heard == RevocationKeeper::Heard::kNoRoom && loop_.now_us() >= no_room_again_us_) {
      no_room_again_us_ = loop_.now_us() + kNoRoomLogUs;
      log::error("session", "there is no room for what another replica revoked kind={}",
                 auth::kind_name(notice.revocation.kind));
    }
  } else {
    is_new = keeper_.forget_heard(notice.revocation);
  }
  if (!is_new || std::exchange(heard_waits_, true)) return;
  const uint64_t again_us = applied_us_ + kHeardPauseUs;
  const uint64_t now_us = loop_.now_us();
  apply_soon_.arm_ms(
      std::max<uint64_t>(kHeardMs, again_us > now_us ? (again_us - now_us) / 1'000 : 0));
}

void SessionControl::apply_heard() {
  heard_waits_ = false;
  applied_us_ = loop_.now_us();
  const std::optional<size_t> ended = publish();
  log::info("session", "applied what other replicas revoked or took back websockets_ended={}",
            ended.value_or(0));
}

void SessionControl::set_announced(std::vector<auth::Revocation> entries, uint64_t term) {
  bool is_new = false;
  for (const auth::Revocation& one : outbox_.on_announced(*replicas_, entries, term)) {
    is_new = keeper_.remove_call(one) || is_new;
  }
  is_new = keeper_.set_announced(std::move(entries)) || is_new;
  if (is_new) publish();
}

TakenBack SessionControl::unrevoke(const auth::Revocation& asked) {
  TakenBack out;
  const RevocationKeeper::Found found = keeper_.find(asked);
  std::vector<std::string> scopes;
  for (const std::string& scope : found.scopes) {
    if (replicas_ == nullptr || replicas_->may_say(scope)) scopes.push_back(scope);
  }
  if (found.calls == 0 && scopes.empty()) {
    out.outcome =
        found.scopes.empty() ? TakenBack::Outcome::kUnknown : TakenBack::Outcome::kNotOurs;
    return out;
  }
  const std::vector<std::string> spoken =
      replicas_ == nullptr ? scopes : replicas_->scopes_for(asked.scope);
  if (!scopes.empty() && spoken.empty()) {
    out.outcome = TakenBack::Outcome::kUnheard;
    return out;
  }
  out.entries = keeper_.remove(asked, scopes);
  publish();
  logs_.audit(audit_record(metrics::AuditEvent::kUnrevoke, asked));
  for (const std::string& scope : spoken) {
    if (std::ranges::find(scopes, scope) == scopes.end()) scopes.push_back(scope);
  }
  if (replicas_ != nullptr) {
    out.told = outbox_.put(*replicas_, false, asked, std::move(scopes), loop_.now_us());
  }
  return out;
}

std::string SessionControl::revocations_json() const { return keeper_.json(now_seconds()); }

std::optional<size_t> SessionControl::publish() {
  const RevocationKeeper::Set set = keeper_.make(now_seconds());
  const auto ended = ask_workers<size_t>([&](Worker& worker, std::function<void(size_t)> done) {
    worker.revoke(set, loop_, std::move(done));
  });
  if (!ended) return std::nullopt;
  return std::accumulate(ended->begin(), ended->end(), size_t{0});
}

std::optional<SessionCounts> SessionControl::open_sessions() {
  const auto parts =
      ask_workers<SessionCounts>([](Worker& worker, std::function<void(SessionCounts)> done) {
        worker.count_sessions(std::move(done));
      });
  if (!parts) return std::nullopt;
  SessionCounts all;
  for (const SessionCounts& part : *parts) {
    for (const auto& [who, count] : part) {
      SessionCount& sum = all[who];
      sum.websockets += count.websockets;
      sum.expires_at = std::max(sum.expires_at, count.expires_at);
    }
  }
  return all;
}

std::optional<KernelSights> SessionControl::open_kernels() {
  using Part = std::vector<exchange::KernelSight>;
  auto parts = ask_workers<Part>(
      [](Worker& worker, std::function<void(Part)> done) { worker.list_kernels(std::move(done)); });
  if (!parts) return std::nullopt;
  KernelSights all;
  for (size_t i = 0; i < parts->size(); ++i) all.emplace_back(i, std::move((*parts)[i]));
  return all;
}

template <class Part, class Ask>
std::optional<std::vector<Part>> SessionControl::ask_workers(Ask&& ask) {
  std::vector<std::future<Part>> coming;
  for (Worker* worker : workers_) {
    // Shared: a worker that is late answers into what nobody waits for any more.
    const auto promise = std::make_shared<std::promise<Part>>();
    coming.push_back(promise->get_future());
    ask(*worker, [promise](Part part) { promise->set_value(std::move(part)); });
  }
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(limits::kWorkersAnswerMs);
  std::vector<Part> parts;
  for (std::future<Part>& part : coming) {
    if (part.wait_until(until) != std::future_status::ready) {
      log::error("session", "a worker did not answer within {} ms", limits::kWorkersAnswerMs);
      return std::nullopt;
    }
    parts.push_back(part.get());
  }
  return parts;
}

}  // namespace kg::server
