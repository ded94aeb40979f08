// ProcessLogs: the access log and the audit log of the process, opened once at start.
//
// Owner: the Server; outlives the workers. Thread: control.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "metrics/log_writer.h"
#include "proxy/exchange/context.h"

namespace kg::server {

class ProcessLogs {
 public:
  // False and a sentence in `problem` that begins with the key when a log or the key of the hashes
  // cannot be opened.
  bool open(const config::Config& config, std::string& problem);
  // A line of the control thread's own; at once, they are rare.
  void audit(const metrics::AuditRecord& record);
  void reopen();  // SIGUSR1, after logrotate
  // As the workers see them. After open().
  exchange::Logs for_workers() const noexcept;

 private:
  std::shared_ptr<metrics::LogWriter> access_;  // null: off
  std::shared_ptr<metrics::LogWriter> audit_;   // the same one where both have one path: two
                                                // writers of one pipe could mix their lines
  std::optional<metrics::SubjectMask> subjects_;
};

}  // namespace kg::server
