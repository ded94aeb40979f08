// FileWatch: tells when a set of files that belong together has changed on disk.
//
// By stat(2) of what the names lead to, so that a swapped symbolic link (a Kubernetes Secret's
// ..data) is a change like any other, on every file system; inotify would have to follow each link
// of the way. Who calls changed() every few seconds hears of a change once two looks in a row saw
// the same state: a writer that is at it is left in peace.
// Thread: control.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

namespace kg::server {

class FileWatch {
 public:
  explicit FileWatch(std::vector<std::string> files) : files_(std::move(files)) {}

  // Also true once for the state that it finds first: whoever read the files before it began to
  // look would miss what happened in between.
  bool changed();

 private:
  struct State {
    bool exists = false;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};
    timespec status_changed{};  // a new owner or mode
    bool operator==(const State& other) const noexcept;
  };
  static State look_at(const std::string& file);

  std::vector<std::string> files_;
  std::vector<State> told_;  // what the caller has heard of
  std::vector<State> last_;
};

}  // namespace kg::server
