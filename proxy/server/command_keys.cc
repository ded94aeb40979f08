#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/files.h"
#include "proxy/base/crypto.h"
#include "proxy/server/commands.h"
#include "routing/fleet_keys.h"

namespace kg::server {
namespace {

constexpr size_t kKeysFileBytesMax = size_t{64} * 1024;

int keys_fail(const std::string& sentence) {
  fmt::print(stderr, "kernelgate keys: {}\n", sentence);
  return 1;
}

// Whole or not at all: it gets its name last. "" or what failed.
std::string write_file(const std::string& file, std::string_view text, bool replaces) {
  const std::string draft = file + "." + crypto::random_hex(8);
  const mode_t mode = file.ends_with(routing::kPublicSuffix) ? 0644 : 0600;
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return file + ": " + std::strerror(errno);
  bool done = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
              ::fsync(fd) == 0;
  ::close(fd);
  // link() and not rename() for a new one: a key that is lost locks out who knew it.
  done = done && (replaces ? ::rename(draft.c_str(), file.c_str()) == 0
                           : ::link(draft.c_str(), file.c_str()) == 0);
  const int failure = errno;
  if (!done || !replaces) ::unlink(draft.c_str());
  return done ? "" : file + ": " + std::strerror(failure);
}

std::string write_files(const std::string& file, const routing::KeyTexts& keys, bool replaces) {
  for (const auto& [suffix, text] : keys) {
    std::string problem = write_file(file + suffix, text.reveal(), replaces);
    if (!problem.empty()) return problem;
  }
  return "";
}

// The files that are there.
routing::KeyTexts read_files(const std::string& file, std::string& problem) {
  routing::KeyTexts out;
  for (const std::string_view suffix : {std::string_view(), routing::kNextSuffix}) {
    const std::string name = file + std::string(suffix);
    config::FileText text = config::read_file(name, kKeysFileBytesMax);
    if (text.text) {
      out[std::string(suffix)] = Secret(std::move(*text.text));
    } else if (suffix.empty() || ::access(name.c_str(), F_OK) == 0) {
      problem = name + " " + text.problem;
    }
  }
  return out;
}

}  // namespace

int new_keys_command(routing::KeyKind kind, const std::string& file) {
  const routing::KeyTexts keys = routing::new_keys(kind);
  const std::string problem = write_files(file, keys, false);
  if (!problem.empty()) return keys_fail(problem);
  if (const std::string key = routing::public_key_of(keys); !key.empty()) fmt::print("{}\n", key);
  return 0;
}

int rotate_keys_command(routing::KeyKind kind, const std::string& file) {
  std::string problem;
  const routing::KeyTexts before = read_files(file, problem);
  if (!problem.empty()) return keys_fail(problem);
  const auto keys = routing::rotated_keys(kind, before, problem);
  if (!keys) {
    return keys_fail(fmt::format("{}: {}; is it a file of --kind {}?", file, problem,
                                 routing::key_kind_name(kind)));
  }
  problem = write_files(file, *keys, true);
  if (!problem.empty()) return keys_fail(problem);
  if (const std::string key = routing::next_public_key_of(*keys); !key.empty())
    fmt::print("{}\n", key);
  return 0;
}

}  // namespace kg::server
