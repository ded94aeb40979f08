#include "proxy/server/key_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "config/files.h"
#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"

namespace kg::server {
namespace {

constexpr mode_t kSecretMode = 0600;
constexpr mode_t kPublicMode = 0644;

bool is_public(std::string_view suffix) { return suffix.ends_with(routing::kPublicSuffix); }

std::string failed(const std::string& what) { return what + ": " + std::strerror(errno); }

struct Look {
  uid_t owner = 0;
  gid_t group = 0;
  mode_t mode = 0;
};

// nullopt with a problem, or without one: there is no such file.
std::optional<Look> look_of(const std::string& file, std::string& problem) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) {
    if (errno != ENOENT) problem = failed(file);
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode)) {  // a rename would put a file in the place of a link
    problem = file + " is no regular file: name the file itself";
    return std::nullopt;
  }
  return Look{status.st_uid, status.st_gid, status.st_mode & 07777U};
}

// A file under a name of its own, until it gets its own one; gone if it does not.
class Draft {
 public:
  explicit Draft(std::string target)
      : target_(std::move(target)), name_(target_ + "." + crypto::random_hex(8)) {}
  ~Draft() {
    if (is_there_) ::unlink(name_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  // On disk when it returns; "" or what failed. Without a `look` it is ours, with that mode.
  std::string write(std::string_view text, mode_t mode, const std::optional<Look>& look) {
    const int fd =
        ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, look ? kSecretMode : mode);
    if (fd < 0) return failed(target_);
    is_there_ = true;
    std::string problem = write_all(fd, text);
    if (problem.empty() && look) problem = dress(fd, *look);
    if (problem.empty() && ::fsync(fd) != 0) problem = failed(target_);
    ::close(fd);
    return problem;
  }

  bool replace() {
    if (::rename(name_.c_str(), target_.c_str()) != 0) return false;
    is_there_ = false;
    return true;
  }
  // link() and not rename(): a key that is lost locks out who knew it.
  bool appear() { return is_new_ = ::link(name_.c_str(), target_.c_str()) == 0; }
  void disappear() {
    if (std::exchange(is_new_, false)) ::unlink(target_.c_str());
  }
  const std::string& target() const noexcept { return target_; }

 private:
  std::string write_all(int fd, std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = ::write(fd, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return failed(target_);
      text.remove_prefix(static_cast<size_t>(count));
    }
    return "";
  }

  std::string dress(int fd, const Look& look) const {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return failed(target_);
    if ((status.st_uid != look.owner || status.st_gid != look.group) &&
        ::fchown(fd, look.owner, look.group) != 0) {
      return failed(target_ + " belongs to " + std::to_string(look.owner) + ":" +
                    std::to_string(look.group) + ", and a new one cannot be given to them");
    }
    return ::fchmod(fd, look.mode) == 0 ? "" : failed(target_);
  }

  const std::string target_;
  const std::string name_;
  bool is_there_ = false;
  bool is_new_ = false;
};

}  // namespace

KeyFiles::KeyFiles(std::string file) : file_(std::move(file)) {}

KeyFiles::~KeyFiles() {
  if (fd_ >= 0) ::close(fd_);
}

std::string KeyFiles::lock() {
  KG_ASSERT(fd_ < 0);
  const std::string taken = file_ + " is being rotated by another command: nothing is done";
  fd_ = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) return failed(file_);
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? taken : failed("cannot lock " + file_);
  }
  // Who had it before may have put another file in its place.
  struct stat ours {};
  struct stat now {};
  if (::fstat(fd_, &ours) != 0 || ::stat(file_.c_str(), &now) != 0) return failed(file_);
  return ours.st_dev == now.st_dev && ours.st_ino == now.st_ino ? "" : taken;
}

std::string KeyFiles::read(routing::KeyTexts& out) const {
  for (const std::string_view suffix : {std::string_view(), routing::kNextSuffix}) {
    const std::string name = file_ + std::string(suffix);
    config::FileText text = config::read_file(name, kKeyFileBytesMax);
    if (text.text) {
      out[std::string(suffix)] = Secret(std::move(*text.text));
    } else if (suffix.empty() || ::access(name.c_str(), F_OK) == 0) {
      return name + " " + text.problem;
    }
  }
  return "";
}

std::string KeyFiles::make(const routing::KeyTexts& keys) {
  std::deque<Draft> drafts;
  std::string problem;
  for (const auto& [suffix, text] : keys) {
    problem = drafts
                  .emplace_front(file_ + suffix)  // FILE, the first, becomes the last
                  .write(text.reveal(), is_public(suffix) ? kPublicMode : kSecretMode, {});
    if (!problem.empty()) return problem;
  }
  for (Draft& draft : drafts) {
    if (draft.appear()) continue;
    problem = failed(draft.target());
    break;
  }
  if (problem.empty()) problem = sync_folder();
  if (!problem.empty()) {
    for (Draft& draft : drafts) draft.disappear();
  }
  return problem;
}

std::string KeyFiles::replace(const routing::KeyTexts& keys) {
  KG_ASSERT(fd_ >= 0);
  std::string problem;
  const std::optional<Look> usual = look_of(file_, problem);
  if (!problem.empty()) return problem;
  if (!usual) return file_ + " is gone";
  std::deque<Draft> drafts;
  for (const auto& [suffix, text] : keys) {
    std::optional<Look> look = look_of(file_ + suffix, problem);
    if (!problem.empty()) return problem;
    if (!look)
      look = Look{usual->owner, usual->group, is_public(suffix) ? kPublicMode : usual->mode};
    problem = drafts.emplace_back(file_ + suffix).write(text.reveal(), kSecretMode, look);
    if (!problem.empty()) return problem;
  }
  for (Draft& draft : drafts) {
    if (!draft.replace()) return failed(draft.target());
  }
  return sync_folder();
}

std::string KeyFiles::sync_folder() const {
  const std::string parent = std::filesystem::path(file_).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failed(folder);
  // Where folders cannot be synchronised, names are as safe as that file system makes them.
  std::string problem = ::fsync(fd) == 0 || errno == EINVAL ? "" : failed(folder);
  ::close(fd);
  return problem;
}

}  // namespace kg::server
