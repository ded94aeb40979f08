// SessionFile: a file that authenticators believe, public keys or opaque tokens, which may change
// while they serve.
//
// Owner:  shared by its authenticators and whoever watches it. Thread: reload() control; all else
//         any.
// Errors: a file that cannot be used when it is first read has no contents and a problem; later it
//         changes nothing: what was read before serves on.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "auth/key_source.h"
#include "auth/opaque_tokens.h"

namespace kg::auth {

class SessionFile {
 public:
  explicit SessionFile(std::string path) : path_(std::move(path)) {}
  SessionFile(const SessionFile&) = delete;
  SessionFile& operator=(const SessionFile&) = delete;
  virtual ~SessionFile() = default;

  const std::string& path() const noexcept { return path_; }
  enum class Outcome : uint8_t { kSame, kFresh, kUnusable };
  // Reads it again. `problem`: a sentence with the path if it is unusable.
  virtual Outcome reload(std::string& problem) = 0;

 private:
  std::string path_;
};

// Contents is immutable and has from_file() and holds_all_of().
template <class Contents>
class SessionFileOf : public SessionFile {
 public:
  using SessionFile::SessionFile;

  std::shared_ptr<const Contents> contents() const {
    const std::lock_guard lock(mutex_);
    return contents_;
  }
  uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  Outcome reload(std::string& problem) override {
    auto [fresh, error] = Contents::from_file(path());
    if (fresh == nullptr) {
      problem = std::move(error);
      return Outcome::kUnusable;
    }
    const std::shared_ptr<const Contents> before = contents();
    const bool withdrawn = before != nullptr && !fresh->holds_all_of(*before);
    if (before != nullptr && !withdrawn && before->holds_all_of(*fresh)) return Outcome::kSame;
    {
      const std::lock_guard lock(mutex_);
      contents_ = std::move(fresh);
    }
    // After the contents: whoever sees the new generation verifies with nothing older.
    if (withdrawn) generation_.fetch_add(1, std::memory_order_release);
    return Outcome::kFresh;
  }

 private:
  mutable std::mutex mutex_;  // held for a copy of the pointer
  std::shared_ptr<const Contents> contents_;
  std::atomic<uint64_t> generation_{1};
};

using OpaqueFile = SessionFileOf<OpaqueTokens>;

class KeysFile final : public SessionFileOf<KeySet>, public KeySource {
 public:
  using SessionFileOf::SessionFileOf;
  std::shared_ptr<const KeySet> keys() const override { return contents(); }
  uint64_t generation() const noexcept override { return SessionFileOf::generation(); }
};

// The files of one configuration, each read once however many endpoints name it.
class SessionFiles {
 public:
  // Null with a problem if it cannot be used.
  std::shared_ptr<KeysFile> keys(const std::string& path, std::string& problem) {
    return read(keys_, path, problem);
  }
  std::shared_ptr<OpaqueFile> opaque(const std::string& path, std::string& problem) {
    return read(opaque_, path, problem);
  }
  std::vector<std::shared_ptr<SessionFile>> all() const;

 private:
  template <class File>
  using ByPath = std::map<std::string, std::shared_ptr<File>>;
  template <class File>
  static std::shared_ptr<File> read(ByPath<File>& files, const std::string& path,
                                    std::string& problem);

  ByPath<KeysFile> keys_;
  ByPath<OpaqueFile> opaque_;
};

}  // namespace kg::auth
