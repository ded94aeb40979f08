#include "proxy/server/file_watch.h"

#include <algorithm>

namespace kg::server {
namespace {

bool same_time(const timespec& a, const timespec& b) noexcept {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

bool FileWatch::State::operator==(const State& other) const noexcept {
  return exists == other.exists && device == other.device && inode == other.inode &&
         size == other.size && same_time(modified, other.modified) &&
         same_time(status_changed, other.status_changed);
}

FileWatch::State FileWatch::look_at(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  return {true, status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_ctim};
}

bool FileWatch::changed() {
  std::vector<State> now(files_.size());
  std::transform(files_.begin(), files_.end(), now.begin(), &look_at);
  const bool settled = now == last_;
  last_ = std::move(now);
  if (!settled || last_ == told_) return false;
  told_ = last_;
  return true;
}

}  // namespace kg::server
