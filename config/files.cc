#include "config/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "config/values.h"

namespace kg::config {
namespace {

class Fd {
 public:
  explicit Fd(const std::string& path, int more_flags = 0)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | more_flags)) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

std::string errno_text() { return std::generic_category().message(errno); }

}  // namespace

Files::Files(const std::string& config_file)
    : folder_(std::filesystem::path(config_file).parent_path().string()) {}

Files::Files(const Texts& texts) : texts_(&texts) {}

std::string Files::resolve(const std::string& name) const {
  return (std::filesystem::path(folder_) / name).lexically_normal().string();
}

std::string Files::existing(const Section& section, std::string_view name, Secrecy secrecy) const {
  const std::string written = section.value<std::string>(name, parse_text);
  if (written.empty()) return "";
  if (texts_ != nullptr) return text(section, name, written);
  std::string path = resolve(written);
  Problems& problems = section.problems();
  const Fd file(path, O_NONBLOCK);  // a named pipe without a writer must not hang the start
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    problems.error(section.place_of(name), "cannot read " + quote(path) + " (" + errno_text() + ")",
                   "check the name, which is relative to this file, and the permissions");
  } else if (!S_ISREG(status.st_mode)) {
    problems.error(section.place_of(name), quote(path) + " is not a regular file",
                   "name a file with the contents");
  } else if (secrecy == Secrecy::kSecret && (status.st_mode & S_IROTH) != 0) {
    problems.warn(section.place_of(name), "everybody on this machine may read " + quote(path),
                  "take the right away: chmod o-r");
  }
  return path;
}

std::string Files::text(const Section& section, std::string_view name,
                        const std::string& written) const {
  if (!written.starts_with(kTextPrefix)) {
    section.problems().error(
        section.place_of(name), quote(written) + " is a file of this machine",
        "give the text itself: files are named in the configuration file only");
  } else if (!texts_->contains(std::string_view(written).substr(kTextPrefix.size()))) {
    section.problems().error(section.place_of(name), "there is no text " + quote(written),
                             "send it along under this name");
  }
  return written;
}

std::string Files::folder(const Section& section, std::string_view name) const {
  const std::string written = section.value<std::string>(name, parse_text);
  return written.empty() ? "" : resolve(written);
}

std::string Files::log(const Section& section, std::string_view name) const {
  std::string written = section.value<std::string>(name, parse_text);
  if (written == "stdout" || written == "off" || written.empty()) return written;
  const Place place = section.place_of(name);
  if (written == "stderr") {
    section.problems().error(place, "stderr is for the program's own messages",
                             "write stdout, off or the name of a file");
    return written;
  }
  std::string path = resolve(written);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    section.problems().error(place, quote(path) + " is a folder", "name a file in it");
  } else if (!std::filesystem::is_directory(folder.empty() ? "." : folder, ignored)) {
    section.problems().error(place, "there is no folder " + quote(folder), "make it");
  }
  return path;
}

FileText read_file(const std::string& path, size_t bytes_max) {
  const Fd file(path);
  if (file.get() < 0) return {std::nullopt, "cannot be opened (" + errno_text() + ")"};
  std::string text;
  std::array<char, 65'536> piece{};
  while (text.size() <= bytes_max) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {std::nullopt, "cannot be read (" + errno_text() + ")"};
    if (got == 0) return {std::move(text), ""};
    text.append(piece.data(), static_cast<size_t>(got));
  }
  return {std::nullopt, "is larger than " + std::to_string(bytes_max >> 20) + " MiB"};
}

}  // namespace kg::config
