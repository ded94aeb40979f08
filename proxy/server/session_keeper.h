// SessionKeeper: keeps the files fresh that sessions rest on, public keys and opaque tokens.
//
// Owner:  the Server. Thread: control. Blocks on files; reading 100,000 opaque tokens takes under a
//         second, in which no worker waits.
// Errors: what became unusable keeps its last good contents, is logged and counted, and is not
//         looked at again before it changes.
#pragma once

#include <memory>
#include <vector>

#include "auth/session_file.h"
#include "metrics/exporter.h"
#include "proxy/server/file_watch.h"

namespace kg::server {

class SessionKeeper {
 public:
  // A configuration was applied, and these were read for it.
  void adopt(std::vector<std::shared_ptr<auth::SessionFile>> files);
  // Every kFileLookMs.
  void look();
  void add_facts(metrics::ProcessFacts& facts) const { facts.session_file_reloads = reloads_; }

 private:
  struct Watched {
    std::shared_ptr<auth::SessionFile> file;
    FileWatch watch;
  };

  std::vector<Watched> watched_;
  metrics::Reloads reloads_;
};

}  // namespace kg::server
