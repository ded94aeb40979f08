#include "routing/feed/disk_copy.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include "proxy/base/crypto.h"
#include "routing/feed/limits.h"
#include "routing/feed/seal.h"

namespace kg::feed {
namespace {

constexpr std::string_view kCopyMagic = "KGFCOPY1";
constexpr size_t kRecordLengthBytes = 4;
constexpr size_t kDraftBytes = 8;  // of the random end of a draft's name
constexpr std::string_view kRemedy =
    ": it is not used; it is written anew with the next update from a controller";

class File {
 public:
  explicit File(int fd) noexcept : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const noexcept { return fd_; }
  bool write(std::string_view bytes) const noexcept {
    while (!bytes.empty()) {
      const ssize_t size = ::write(fd_, bytes.data(), bytes.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(size));
    }
    return true;
  }
  // Exactly so many; false at the end or in an error.
  bool read(char* out, size_t size) const noexcept {
    while (size > 0) {
      const ssize_t got = ::read(fd_, out, size);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      out += got;
      size -= static_cast<size_t>(got);
    }
    return true;
  }

 private:
  int fd_;
};

bool write_all(const File& file, const Secret& secret, const Content& content) {
  std::string salt(Seal::kSaltBytes, '\0');
  crypto::random_bytes(salt.data(), salt.size());
  const Seal seal(secret, salt);
  if (!file.write(kCopyMagic) || !file.write(salt)) return false;
  size_t next = 0;
  uint64_t number = 0;
  do {
    const std::string sealed = seal.close(number, encode_part(content, number, next));
    std::string length(kRecordLengthBytes, '\0');
    for (size_t i = 0; i < kRecordLengthBytes; ++i) {
      length[i] = static_cast<char>(sealed.size() >> (8 * (kRecordLengthBytes - 1 - i)));
    }
    if (!file.write(length) || !file.write(sealed)) return false;
    ++number;
  } while (next < content.changes.size());
  return ::fsync(file.fd()) == 0;
}

// Reads exactly `size` bytes, or says that they are not there.
using Source = std::function<bool(char* out, size_t size)>;

const char* read_all(const Source& source, const Secret& secret, uint64_t schema_low,
                     uint64_t schema_high, HeldState& state) {
  std::string head(kCopyMagic.size() + Seal::kSaltBytes, '\0');
  if (!source(head.data(), head.size()) || !head.starts_with(kCopyMagic)) {
    return " is no copy of a feed";
  }
  const Seal seal(secret, std::string_view(head).substr(kCopyMagic.size()));
  for (uint64_t number = 0;; ++number) {
    std::string length(kRecordLengthBytes, '\0');
    if (!source(length.data(), length.size())) return " is cut off";
    size_t size = 0;
    for (const char c : length) size = (size << 8U) | static_cast<unsigned char>(c);
    if (size > kMessageBytesMax + Seal::kTagBytes) return " is damaged";
    std::string sealed(size, '\0');
    if (!source(sealed.data(), sealed.size())) return " is cut off";
    const std::optional<std::string> part = seal.open(number, sealed);
    if (!part) return " is damaged, or was sealed under another feed key";
    const char* problem = "";
    std::optional<Message> message = parse(*part, problem);
    Update* update = message ? std::get_if<Update>(&*message) : nullptr;
    if (update == nullptr || update->from) return " holds something else";
    if (update->schema < schema_low || update->schema > schema_high) {
      return " was written by a program of another schema";
    }
    const Staged staged = state.stage(std::move(*update));
    if (staged == Staged::kReady) return nullptr;
    if (staged != Staged::kMore) return " contradicts itself";
  }
}

Copy verdict_on(const char* wrong, const std::string& name, HeldState& state,
                std::string& problem) {
  if (wrong == nullptr) return Copy::kLoaded;
  state.discard();
  problem = name + wrong + std::string(kRemedy);
  return Copy::kUnusable;
}

bool is_draft(std::string_view name, std::string_view of) {
  if (!name.starts_with(of) || name.size() != of.size() + 1 + 2 * kDraftBytes) return false;
  return name[of.size()] == '.' && std::ranges::all_of(name.substr(of.size() + 1), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// What writers left that died. One that lives, as of a process that ends while the next one starts,
// holds the lock of its own.
void remove_drafts(const std::string& file) {
  const std::filesystem::path path(file);
  const std::string name = path.filename().string();
  std::error_code error;
  std::filesystem::directory_iterator entry(
      path.has_parent_path() ? path.parent_path() : std::filesystem::path("."), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (!is_draft(entry->path().filename().string(), name)) continue;
    const File draft(::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (draft.fd() < 0 || ::flock(draft.fd(), LOCK_EX | LOCK_NB) != 0) continue;
    ::unlink(entry->path().c_str());
  }
}

}  // namespace

std::string save_copy(const std::string& file, const Secret& secret, const Content& content) {
  const std::string draft = file + "." + crypto::random_hex(kDraftBytes);
  const File out(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.fd() < 0) return draft + ": " + std::strerror(errno);
  static_cast<void>(::flock(out.fd(), LOCK_EX | LOCK_NB));  // remove_drafts()
  if (write_all(out, secret, content) && std::rename(draft.c_str(), file.c_str()) == 0) return "";
  const int failure = errno;
  ::unlink(draft.c_str());
  return file + ": " + std::strerror(failure);
}

Copy load_copy(const std::string& file, const Secret& secret, uint64_t schema_low,
               uint64_t schema_high, HeldState& state, std::string& problem) {
  remove_drafts(file);
  const File in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.fd() < 0 && errno == ENOENT) return Copy::kAbsent;
  if (in.fd() < 0) {
    problem = file + ": " + std::strerror(errno);
    return Copy::kUnusable;
  }
  const Source source = [&](char* out, size_t size) { return in.read(out, size); };
  return verdict_on(read_all(source, secret, schema_low, schema_high, state), file, state, problem);
}

Copy read_copy(std::string_view text, const Secret& secret, uint64_t schema_low,
               uint64_t schema_high, HeldState& state, std::string& problem) {
  const Source source = [&](char* out, size_t size) {
    if (size > text.size()) return false;
    std::memcpy(out, text.data(), size);
    text.remove_prefix(size);
    return true;
  };
  return verdict_on(read_all(source, secret, schema_low, schema_high, state), "the copy", state,
                    problem);
}

}  // namespace kg::feed
