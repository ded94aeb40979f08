#include "proxy/server/revocation_keeper.h"

#include <algorithm>
#include <utility>

#include "config/files.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "routing/revocation_notice.h"

namespace kg::server {
namespace {

bool matches(const auth::Revocation& asked, const auth::Revocation& entry) noexcept {
  return asked.mark == entry.mark && (asked.scope.empty() || asked.scope == entry.scope);
}

bool same_entry(const auth::Revocation& a, const auth::Revocation& b) noexcept {
  return a.same_target(b) && a.before == b.before;
}

bool has(const std::vector<auth::Revocation>& entries, const auth::Revocation& one) {
  return std::ranges::any_of(entries, [&](const auto& entry) { return same_entry(entry, one); });
}

void append(const std::vector<auth::Revocation>& entries, const char* source, int64_t now,
            std::string& out) {
  for (const auth::Revocation& entry : entries) {
    if (entry.until != 0 && entry.until <= now) continue;
    if (out.back() != '[') out += ',';
    std::string object = entry.json();
    object.pop_back();
    out += object + ",\"source\":\"" + source + "\"}";
  }
}

}  // namespace

std::vector<auth::Revocation> RevocationKeeper::read(const std::string& file,
                                                     std::string& problem) {
  problem.clear();
  if (file.empty()) return {};
  const config::FileText text = config::read_file(file, limits::kRevocationFileBytesMax);
  if (!text.text) {
    problem = file + " " + text.problem;
    return {};
  }
  auth::Revocations::Lines lines = auth::Revocations::read_lines(*text.text);
  if (!lines.error.empty()) problem = file + ": " + lines.error;
  return std::move(lines.entries);
}

void RevocationKeeper::adopt(const std::string& file, std::vector<auth::Revocation> entries) {
  file_ = file;
  watch_ = FileWatch(file.empty() ? std::vector<std::string>{} : std::vector<std::string>{file});
  of_file_ = std::move(entries);
}

bool RevocationKeeper::look() {
  if (file_.empty() || !watch_.changed()) return false;
  std::string problem;
  std::vector<auth::Revocation> fresh = read(file_, problem);
  if (!problem.empty()) {
    ++reloads_.failed;
    log::error("session", "{}; what was revoked before stays revoked", problem);
    return false;
  }
  if (fresh == of_file_) return false;
  ++reloads_.ok;
  log::info("session", "reloaded file={} revocations={}", file_, fresh.size());
  of_file_ = std::move(fresh);
  return true;
}

bool RevocationKeeper::add(auth::Revocation& revocation, int64_t now) {
  forget_ended(now);
  if (of_calls_.size() >= limits::kRevocationsMax) return false;
  if (revocation.until == 0) revocation.until = now + limits::kRevocationSeconds;
  of_calls_.push_back(revocation);
  return true;
}

RevocationKeeper::Heard RevocationKeeper::hear(const auth::Revocation& revocation, int64_t now) {
  forget_ended(now);
  if (has(of_feed_, revocation) || has(of_replicas_, revocation)) return Heard::kKnown;
  const std::string name = routing::feed_scope(revocation.scope).scope_namespace;
  const auto same_namespace = [&](const auto& entry) {
    return !entry.scope.empty() && routing::feed_scope(entry.scope).scope_namespace == name;
  };
  const bool scoped = !revocation.scope.empty();
  if (of_replicas_.size() >= limits::kRevocationsMax ||
      (scoped && std::ranges::count_if(of_replicas_, same_namespace) >=
                     static_cast<ptrdiff_t>(auth::kRevocationsPerNamespaceMax))) {
    return Heard::kNoRoom;
  }
  auth::Revocation& own = of_replicas_.emplace_back(revocation);
  if (own.until == 0) own.until = now + limits::kRevocationSeconds;
  return Heard::kNew;
}

bool RevocationKeeper::forget_heard(const auth::Revocation& revocation) {
  return std::erase_if(of_replicas_,
                       [&](const auto& entry) { return entry.same_target(revocation); }) > 0;
}

RevocationKeeper::Found RevocationKeeper::find(const auth::Revocation& asked) const {
  Found out;
  for (const auth::Revocation& entry : of_calls_) {
    if (matches(asked, entry)) ++out.calls;
  }
  for (const auto* list : {&of_replicas_, &of_feed_}) {
    for (const auth::Revocation& entry : *list) {
      if (!matches(asked, entry) || std::ranges::count(out.scopes, entry.scope) > 0) continue;
      out.scopes.push_back(entry.scope);
    }
  }
  return out;
}

size_t RevocationKeeper::remove(const auth::Revocation& asked,
                                const std::vector<std::string>& scopes) {
  const auto leaves = [&](const auto& entry) {
    return matches(asked, entry) && std::ranges::count(scopes, entry.scope) > 0;
  };
  const size_t calls =
      std::erase_if(of_calls_, [&](const auto& entry) { return matches(asked, entry); });
  const size_t others = std::erase_if(of_replicas_, leaves) + std::erase_if(of_feed_, leaves);
  // What was revoked here and came back by the feed is one entry.
  return std::max(calls, others);
}

bool RevocationKeeper::remove_call(const auth::Revocation& revocation) {
  return std::erase_if(of_calls_,
                       [&](const auto& entry) { return same_entry(entry, revocation); }) > 0;
}

bool RevocationKeeper::set_announced(std::vector<auth::Revocation> entries) {
  if (entries == of_feed_) return false;
  of_feed_ = std::move(entries);
  std::erase_if(of_replicas_, [this](const auto& entry) { return has(of_feed_, entry); });
  return true;
}

RevocationKeeper::Set RevocationKeeper::make(int64_t now) {
  forget_ended(now);
  std::vector<auth::Revocation> all = of_file_;
  all.insert(all.end(), of_calls_.begin(), of_calls_.end());
  all.insert(all.end(), of_replicas_.begin(), of_replicas_.end());
  all.insert(all.end(), of_feed_.begin(), of_feed_.end());
  return std::make_shared<const auth::Revocations>(all, now);
}

std::string RevocationKeeper::json(int64_t now) const {
  std::string out = "[";
  append(of_file_, "file", now, out);
  append(of_calls_, "call", now, out);
  append(of_replicas_, "replica", now, out);
  append(of_feed_, "feed", now, out);
  return out += "]";
}

void RevocationKeeper::forget_ended(int64_t now) {
  const auto ended = [now](const auto& entry) { return entry.until <= now; };
  std::erase_if(of_calls_, ended);
  std::erase_if(of_replicas_, ended);
}

void RevocationKeeper::add_facts(metrics::ProcessFacts& facts) const {
  facts.revocation_reloads = reloads_;
  facts.revocations = of_file_.size() + of_calls_.size() + of_replicas_.size() + of_feed_.size();
}

}  // namespace kg::server
