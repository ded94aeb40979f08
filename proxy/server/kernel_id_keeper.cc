#include "proxy/server/kernel_id_keeper.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "config/files.h"
#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/log.h"
#include "proxy/base/secret.h"

namespace kg::server {
namespace {

constexpr size_t kKeysFileBytesMax = size_t{64} * 1024;  // eight keys and some comments
constexpr const char* kRemedy =
    "one key a line: EPOCH STATE SECRET, made by: echo \"0 current $(openssl rand -base64 32)\"";

// Null, and what is wrong.
KernelIdKeysRef read(const std::string& file, std::string& problem) {
  config::FileText text = config::read_file(file, kKeysFileBytesMax);
  KernelIdKeysRef keys;
  if (text.text) {
    const Secret secret(std::move(*text.text));
    keys = kernel::KernelIdKeys::parse(secret.reveal(), problem);
  } else {
    problem = std::move(text.problem);
  }
  if (keys == nullptr) problem = file + " " + problem;
  return keys;
}

std::string own_file(const std::string& state_dir) { return state_dir + "/kernel-id-keys"; }

// "" if there is to be none.
std::string file_of(const config::Config& config) {
  const bool named = !config.kernel_id_keys_file.empty();
  return named || config.state_dir.empty() ? config.kernel_id_keys_file
                                           : own_file(config.state_dir);
}

bool exists(const std::string& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0;
}

KernelIdKeysRef parse_own(const Secret& text) {
  std::string problem;
  KernelIdKeysRef keys = kernel::KernelIdKeys::parse(text.reveal(), problem);
  KG_ASSERT(keys != nullptr);
  return keys;
}

// A new file that only we may read, whole or not at all: it gets its name last. "" or what failed.
std::string write_new(const std::string& file, const Secret& text) {
  const std::string draft = file + "." + crypto::random_hex(8);
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return std::strerror(errno);
  const std::string_view bytes = text.reveal();
  const bool written =
      ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
      ::fsync(fd) == 0;
  const int write_errno = errno;
  ::close(fd);
  // link() and not rename(): where another replica was quicker, its file counts.
  const bool linked = written && (::link(draft.c_str(), file.c_str()) == 0 || errno == EEXIST);
  const int link_errno = errno;
  ::unlink(draft.c_str());
  return linked ? "" : std::strerror(written ? link_errno : write_errno);
}

}  // namespace

void check_kernel_id_keys(const config::Config& config, std::vector<config::ConfigError>& errors) {
  const bool named = !config.kernel_id_keys_file.empty();
  const std::string file = file_of(config);
  if (file.empty() || (!named && !exists(file))) return;
  config::ConfigError error;
  if (read(file, error.problem) != nullptr) return;
  error.file = config.file;
  error.line = config.kernel_id_keys_place.line;
  error.key = named ? config.kernel_id_keys_place.key : "state_dir";
  error.remedy = kRemedy;
  errors.push_back(std::move(error));
}

KernelIdKeysRef find_kernel_id_keys(const config::Config& config) {
  const std::string file = file_of(config);
  std::string problem;
  return file.empty() || !exists(file) ? nullptr : read(file, problem);
}

void KernelIdKeeper::adopt(const config::Config& config) {
  const bool named = !config.kernel_id_keys_file.empty();
  const std::string file = file_of(config);
  std::string problem;
  if (!file.empty() && exists(file) && use(file, problem)) return;
  if (named) {  // it was good a moment ago
    log::error("kernels", "{}; what was loaded before serves on", problem);
    if (keys_ != nullptr) return;
  }
  make_own(config.state_dir);
}

bool KernelIdKeeper::use(const std::string& file, std::string& problem) {
  KernelIdKeysRef fresh = read(file, problem);
  if (fresh == nullptr) return false;
  if (keys_ != nullptr && file == file_ && !fresh->same_keys(*keys_)) {
    ++reloads_.ok;
    log::info("kernels", "reloaded file={}", file);
  }
  keys_ = std::move(fresh);
  file_ = file;
  watch_ = FileWatch({file_});
  return true;
}

void KernelIdKeeper::make_own(const std::string& state_dir) {
  std::string failed = "there is no state_dir";
  const Secret text(kernel::KernelIdKeys::new_file_text());
  if (!state_dir.empty()) failed = write_new(own_file(state_dir), text);
  std::string problem;
  if (failed.empty() && use(own_file(state_dir), problem)) {
    log::warn("kernels",
              "made the key of kernel ids file={}; give all replicas the same one, by "
              "kernel_ids.keys_file, or they deny each other's kernels",
              file_);
    return;
  }
  if (own_ == nullptr) own_ = parse_own(text);
  keys_ = own_;
  file_.clear();
  log::warn("kernels",
            "the key of kernel ids is in memory only ({}): after a restart, and on every other "
            "replica, all present kernels are foreign; set kernel_ids.keys_file",
            failed);
}

bool KernelIdKeeper::look() {
  if (file_.empty() || !watch_.changed()) return false;
  std::string problem;
  KernelIdKeysRef fresh = read(file_, problem);
  if (fresh == nullptr) {
    ++reloads_.failed;
    log::error("kernels", "{}; what was loaded before serves on", problem);
    return false;
  }
  if (fresh->same_keys(*keys_)) return false;
  ++reloads_.ok;
  log::info("kernels", "reloaded file={}", file_);
  keys_ = std::move(fresh);
  return true;
}

}  // namespace kg::server
