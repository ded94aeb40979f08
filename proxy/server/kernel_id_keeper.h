// KernelIdKeeper: the keys of kernel ids, from the file that the configuration names, or from one
// that the process makes for itself.
//
// Without kernel_ids.keys_file a key is kept in state_dir, and without a usable state_dir in
// memory: a proxy in a read-only container starts all the same, and says what that costs. Owner:
// the Server. Thread: control. Blocks on files, which are small. Errors: a file that became
// unusable keeps the last good keys, is logged and counted, and is not
//         looked at again before it changes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "metrics/exporter.h"
#include "proxy/kernel/kernel_id.h"
#include "proxy/server/file_watch.h"

namespace kg::server {

using KernelIdKeysRef = std::shared_ptr<const kernel::KernelIdKeys>;

// What `check` can say without making anything: errors of files that are there.
void check_kernel_id_keys(const config::Config& config, std::vector<config::ConfigError>& errors);

// Those of the file that is there, for commands that make none; else null.
KernelIdKeysRef find_kernel_id_keys(const config::Config& config);

class KernelIdKeeper {
 public:
  // A configuration was applied that check_kernel_id_keys() had nothing against.
  void adopt(const config::Config& config);
  const KernelIdKeysRef& keys() const noexcept { return keys_; }
  // Every kFileLookMs. True when keys() is new.
  bool look();
  const metrics::Reloads& reloads() const noexcept { return reloads_; }

 private:
  bool use(const std::string& file, std::string& problem);
  void make_own(const std::string& state_dir);

  KernelIdKeysRef keys_;
  KernelIdKeysRef own_;  // in memory; kept through reloads
  std::string file_;
  FileWatch watch_{{}};
  metrics::Reloads reloads_;
};

}  // namespace kg::server
