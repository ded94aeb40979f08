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

Result<uint16_t> SessionControl::listen(const event::SocketAddress& address, PodActions& pods) {
  AdminActions& actions = *this;
  admin_ = std::make_unique<Admin>(loop_, actions, pods);
  return admin_->listen(address);
}

void SessionControl::look() {
  if (keeper_.look()) publish();
}

std::optional<size_t> SessionControl::revoke(const auth::Revocation& revocation) {
  if (!keeper_.add(revocation, now_seconds())) return std::nullopt;
  const std::optional<size_t> ended = publish();
  log::info("session", "revoked by an admin call kind={} websockets_ended={}",
            auth::kind_name(revocation.kind), ended.value_or(0));
  logs_.audit(audit_record(metrics::AuditEvent::kRevoke, revocation));
  if (tell_others_) tell_others_(true, revocation);
  return ended;
}

void SessionControl::hear(bool revoked, const auth::Revocation& revocation) {
  if (!revoked) {
    if (keeper_.remove(revocation) > 0) publish();
    return;
  }
  if (!keeper_.add(revocation, now_seconds())) {
    log::error("session", "there is no room for what another replica revoked kind={}",
               auth::kind_name(revocation.kind));
    return;
  }
  const std::optional<size_t> ended = publish();
  log::info("session", "revoked by another replica kind={} websockets_ended={}",
            auth::kind_name(revocation.kind), ended.value_or(0));
}

void SessionControl::set_announced(std::vector<auth::Revocation> entries) {
  if (keeper_.set_announced(std::move(entries))) publish();
}

size_t SessionControl::unrevoke(const auth::Revocation& revocation) {
  const size_t removed = keeper_.remove(revocation);
  if (removed == 0) return 0;
  publish();
  logs_.audit(audit_record(metrics::AuditEvent::kUnrevoke, revocation));
  if (tell_others_) tell_others_(false, revocation);
  return removed;
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
