#include "proxy/server/cordon_keeper.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "config/files.h"
#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::server {
namespace {

constexpr size_t kFileBytesMax = limits::kCordonsMax * 320;  // two names and some comments

// The file's new contents, whole or not at all. "" or what failed.
std::string replace(const std::string& file, const std::string& text) {
  const std::string draft = file + "." + crypto::random_hex(8);
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return std::strerror(errno);
  bool done = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
              ::fsync(fd) == 0;
  int failure = errno;
  ::close(fd);
  if (done && std::rename(draft.c_str(), file.c_str()) != 0) {
    failure = errno;
    done = false;
  }
  if (!done) ::unlink(draft.c_str());
  return done ? "" : std::strerror(failure);
}

}  // namespace

std::string cordon_file(const std::string& state_dir) {
  return state_dir.empty() ? "" : state_dir + "/cordons";
}

routing::Cordons read_cordons(const std::string& file, std::string& problem) {
  problem.clear();
  struct stat status {};
  if (file.empty() || (::stat(file.c_str(), &status) != 0 && errno == ENOENT)) return {};
  const config::FileText text = config::read_file(file, kFileBytesMax);
  problem = text.problem;
  std::optional<routing::Cordons> cordons;
  if (text.text) cordons = routing::Cordons::parse(*text.text, problem);
  if (!problem.empty()) problem = file + " " + problem;
  return cordons.value_or(routing::Cordons());
}

void CordonKeeper::adopt(const std::string& state_dir) {
  std::string file = cordon_file(state_dir);
  const bool moved = file != file_;
  file_ = std::move(file);
  if (std::exchange(adopted_, true)) {
    if (moved && !cordons_.all().empty()) save();
    return;
  }
  std::string problem;
  cordons_ = read_cordons(file_, problem);
  kept_ = !file_.empty();
  if (!problem.empty()) {
    log::error("pods", "{}; no pod is closed for new kernels: use the admin interface again",
               problem);
  }
  for (const auto& [endpoint, pod] : cordons_.all()) {
    log::info("pods", "pod closed for new kernels endpoint={} pod={}", endpoint, pod);
  }
}

bool CordonKeeper::add(const std::string& endpoint, const std::string& pod) {
  if (!cordons_.add(endpoint, pod)) return false;
  save();
  return true;
}

void CordonKeeper::remove(const std::string& endpoint, const std::string& pod) {
  if (cordons_.remove(endpoint, pod)) save();
}

void CordonKeeper::save() {
  std::string failed = "there is no state_dir";
  if (!file_.empty()) failed = replace(file_, cordons_.text());
  kept_ = failed.empty();
  if (!kept_) {
    log::warn("pods",
              "which pods are closed for new kernels is in memory only ({}): a restart "
              "opens them",
              failed);
  }
}

}  // namespace kg::server
