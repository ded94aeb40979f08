// CordonKeeper: which pods are closed for new kernels, kept in `state_dir` through restarts.
//
// Owner:  the PodKeeper. Thread: control. Blocks on the file, which is small.
// Errors: a file that cannot be used is logged and counts as empty; one that cannot be written is
//         logged, and the cordons end with the process (survives_restart()).
#pragma once

#include <string>

#include "routing/cordons.h"

namespace kg::server {

// "" without a state_dir.
std::string cordon_file(const std::string& state_dir);
// Nothing where there is no file; `problem` says why one cannot be used.
routing::Cordons read_cordons(const std::string& file, std::string& problem);

class CordonKeeper {
 public:
  // A configuration was applied: the first time the file is read, later it may have moved.
  void adopt(const std::string& state_dir);
  const routing::Cordons& cordons() const noexcept { return cordons_; }
  bool survives_restart() const noexcept { return kept_; }
  bool add(const std::string& endpoint, const std::string& pod);  // false: no room
  void remove(const std::string& endpoint, const std::string& pod);

 private:
  void save();

  routing::Cordons cordons_;
  std::string file_;
  bool adopted_ = false;
  bool kept_ = false;  // the file holds what cordons_ does
};

}  // namespace kg::server
