#include "metrics/process_usage.h"

#include <dirent.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "proxy/base/owned.h"

namespace kg::metrics {

uint64_t resident_bytes() noexcept {
  const Owned<FILE, std::fclose> file(std::fopen("/proc/self/statm", "re"));
  if (file == nullptr) return 0;
  std::array<char, 128> text{};
  const size_t size = std::fread(text.data(), 1, text.size(), file.get());
  const std::string_view fields(text.data(), size);
  const size_t space = fields.find(' ');  // size resident ..., in pages (proc(5))
  if (space == std::string_view::npos) return 0;
  uint64_t pages = 0;
  std::from_chars(fields.data() + space + 1, fields.data() + fields.size(), pages);
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

uint64_t open_fds() noexcept {
  const Owned<DIR, ::closedir> folder(::opendir("/proc/self/fd"));
  if (folder == nullptr) return 0;
  uint64_t entries = 0;
  while (::readdir(folder.get()) != nullptr) ++entries;
  return entries - 3;  // ".", ".." and the folder's own descriptor
}

}  // namespace kg::metrics
