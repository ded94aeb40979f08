// KeyFiles: a set of keys that a fleet shares (routing/fleet_keys.h) as files: FILE, and beside it
// one for each further suffix.
//
// All of a set is written and on disk before the first one gets its name, and FILE is a new set's
// last; the names are on disk before anybody is told. What is replaced keeps its owner and mode; a
// file that is new in a set has those of FILE, but everybody may read a public key.
// Owner:  a command, whose thread it blocks. Limits: kKeyFileBytesMax.
// Errors: sentences with the name of a file that hold nothing of a key.
#pragma once

#include <string>

#include "routing/fleet_keys.h"

namespace kg::server {

inline constexpr size_t kKeyFileBytesMax = size_t{64} * 1024;  // 16 keys and their comments

class KeyFiles {
 public:
  explicit KeyFiles(std::string file);
  ~KeyFiles();  // another one may lock it
  KeyFiles(const KeyFiles&) = delete;
  KeyFiles& operator=(const KeyFiles&) = delete;

  // Each gives "" or what is wrong.
  std::string make(const routing::KeyTexts& keys);  // all of them or none; never overwrites
  // To be called before read() and replace(): of two that rotate at a time the later one is
  // refused. If it waited, keys would be rotated twice and put to use before anybody knows them.
  std::string lock();
  std::string read(routing::KeyTexts& out) const;  // those that are there
  std::string replace(const routing::KeyTexts& keys);

 private:
  std::string sync_folder() const;

  const std::string file_;
  int fd_ = -1;  // of FILE as it was when it was locked
};

}  // namespace kg::server
