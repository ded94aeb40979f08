#include "proxy/server/revocation_keeper.h"

#include <algorithm>
#include <utility>

#include "config/files.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::server {
namespace {

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

bool RevocationKeeper::add(auth::Revocation revocation, int64_t now) {
  forget_ended(now);
  if (of_calls_.size() >= limits::kRevocationsMax) return false;
  if (revocation.until == 0) revocation.until = now + limits::kRevocationSeconds;
  of_calls_.push_back(std::move(revocation));
  return true;
}

size_t RevocationKeeper::remove(const auth::Revocation& revocation) {
  return std::erase_if(of_calls_, [&](const auto& entry) { return entry.same_target(revocation); });
}

bool RevocationKeeper::set_announced(std::vector<auth::Revocation> entries) {
  if (entries == of_feed_) return false;
  of_feed_ = std::move(entries);
  return true;
}

RevocationKeeper::Set RevocationKeeper::make(int64_t now) {
  forget_ended(now);
  std::vector<auth::Revocation> all = of_file_;
  all.insert(all.end(), of_calls_.begin(), of_calls_.end());
  all.insert(all.end(), of_feed_.begin(), of_feed_.end());
  return std::make_shared<const auth::Revocations>(all, now);
}

std::string RevocationKeeper::json(int64_t now) const {
  std::string out = "[";
  append(of_file_, "file", now, out);
  append(of_calls_, "call", now, out);
  append(of_feed_, "feed", now, out);
  return out += "]";
}

void RevocationKeeper::forget_ended(int64_t now) {
  std::erase_if(of_calls_, [now](const auto& entry) { return entry.until <= now; });
}

void RevocationKeeper::add_facts(metrics::ProcessFacts& facts) const {
  facts.revocation_reloads = reloads_;
  facts.revocations = of_file_.size() + of_calls_.size() + of_feed_.size();
}

}  // namespace kg::server
