// TlsKeeper: what the listeners' TLS is made of now, kept fresh: files that changed on disk, random
// ticket keys that have served long enough.
//
// Owner:  the Server. Thread: control. Blocks on files, which are small.
// Errors: what became unusable keeps its last good state, is logged and counted, and is not looked
//         at again before it changes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "metrics/exporter.h"
#include "proxy/server/file_watch.h"
#include "proxy/server/tls_material.h"

namespace kg::server {

class TlsKeeper {
 public:
  TlsKeeper() : own_(OwnTls::make()) {}

  const OwnTls& own() const noexcept { return own_; }
  const std::vector<tls::ListenerTls>& listeners() const noexcept { return listeners_; }

  // A configuration was applied, and this was read for it.
  void adopt(const config::Config& config, std::vector<tls::ListenerTls> listeners);
  // A configuration was refused; these were its errors.
  void count_refused(const std::vector<config::ConfigError>& errors);
  // Every kFileLookMs, with the monotonic time. True when listeners() is new.
  bool look(uint64_t now_us);
  void add_facts(metrics::ProcessFacts& facts) const;

 private:
  struct WatchedCertificate {
    size_t listener;
    size_t index;  // among its certificates
    FileWatch watch;
  };
  struct WatchedCa {
    size_t listener;
    FileWatch watch;
  };
  bool look_at(WatchedCertificate& watched);
  bool look_at(WatchedCa& watched);
  bool look_at_ticket_keys();
  void use_tickets(const std::shared_ptr<const tls::TicketKeys>& tickets);
  void learn_ends();

  OwnTls own_;
  std::vector<tls::ListenerTls> listeners_;
  std::vector<WatchedCertificate> certificates_;
  std::vector<WatchedCa> cas_;
  std::string ticket_keys_file_;
  FileWatch ticket_keys_watch_{{}};
  uint64_t own_tickets_since_us_ = 0;  // monotonic; 0: not known yet
  std::vector<metrics::CertificateFact> ends_;
  std::vector<std::string> addresses_;  // of the listeners, as configured
  metrics::Reloads certificate_reloads_;
  metrics::Reloads ticket_key_reloads_;
};

}  // namespace kg::server
