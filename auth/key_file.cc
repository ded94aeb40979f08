#include "auth/key_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace kg::auth {
namespace {

KeyFile failed(const std::string& path, int sys) {
  return {{}, "cannot read " + path + ": " + std::generic_category().message(sys)};
}

}  // namespace

KeyFile read_key_file(const std::string& path, size_t bytes_max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(path, errno);
  // Full size at once: a string that grew would leave copies behind.
  std::string text(bytes_max + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int sys = errno;
      ::close(fd);
      return failed(path, sys);
    }
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  ::close(fd);
  if (size > bytes_max) {
    return {{}, path + " has more than " + std::to_string(bytes_max / 1024) + " KiB"};
  }
  text.resize(size);
  return {Secret(std::move(text)), ""};
}

}  // namespace kg::auth
