#include "proxy/server/process_logs.h"

#include <utility>

#include "config/files.h"
#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/base/secret.h"

namespace kg::server {
namespace {

// Null and a problem, or null for "off".
std::shared_ptr<metrics::LogWriter> open_log(const char* name, const char* key,
                                             const std::string& path, std::string& problem) {
  if (path == "off") return nullptr;
  std::shared_ptr<metrics::LogWriter> log = metrics::LogWriter::open(name, path, problem);
  if (log == nullptr) problem = std::string(key) + ": " + problem;
  return log;
}

// Any text will do that nobody guesses; what is hashed with is a digest of it, of one length.
Secret hash_key(const std::string& file, std::string& problem) {
  Secret text;
  if (file.empty()) {
    text = Secret(crypto::random_hex(limits::kAuditKeyBytesMin));
  } else {
    config::FileText read = config::read_file(file, limits::kPemBytesMax);
    if (read.text) text = Secret(std::move(*read.text));
    if (!read.text || text.reveal().size() < limits::kAuditKeyBytesMin) {
      problem = "audit_log.hash_key_file: " + file + " " +
                (read.text ? std::string("holds less than 32 bytes") : read.problem);
    }
  }
  const crypto::Sha256 digest = crypto::sha256(text.reveal());
  return Secret(std::string(digest.begin(), digest.end()));
}

metrics::SubjectMask::Mode mode_of(config::AuditSubjects subjects) noexcept {
  using Mode = metrics::SubjectMask::Mode;
  switch (subjects) {
    case config::AuditSubjects::kClear:
      return Mode::kClear;
    case config::AuditSubjects::kHashed:
      return Mode::kHashed;
    case config::AuditSubjects::kOff:
      return Mode::kOff;
  }
  return Mode::kOff;
}

}  // namespace

bool ProcessLogs::open(const config::Config& config, std::string& problem) {
  problem.clear();
  const config::AuditLog& audit = config.audit_log;
  access_ = open_log("access log", "access_log.path", config.access_log_path, problem);
  if (problem.empty()) {
    audit_ = audit.path == config.access_log_path
                 ? access_
                 : open_log("audit log", "audit_log.path", audit.path, problem);
  }
  if (problem.empty()) {
    subjects_.emplace(mode_of(audit.subjects), hash_key(audit.hash_key_file, problem).reveal());
  }
  return problem.empty();
}

void ProcessLogs::audit(const metrics::AuditRecord& record) {
  if (audit_ == nullptr) return;
  metrics::AuditLogBuffer buffer(*subjects_);
  buffer.append(record);
  if (!audit_->submit(buffer.take())) log::error("server", "a line of the audit log was dropped");
}

void ProcessLogs::reopen() {
  if (access_ != nullptr) access_->reopen();
  if (audit_ != nullptr && audit_ != access_) audit_->reopen();
}

exchange::Logs ProcessLogs::for_workers() const noexcept {
  KG_ASSERT(subjects_.has_value());
  return {access_.get(), audit_.get(), *subjects_};
}

}  // namespace kg::server
