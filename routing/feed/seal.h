// Seal: a file's records, each AES-256-GCM under a key of its own for the file.
//
// The key is HKDF-SHA-256 (RFC 5869) of a secret and the file's random salt, so no two files share
// one, and the number of a record is its nonce: records can be neither swapped, left out nor taken
// from another file. That the last one is there, its contents have to say.
// Owner: the disk copy. Thread: any, one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/secret.h"

namespace kg::feed {

class Seal {
 public:
  static constexpr size_t kSaltBytes = 32;
  static constexpr size_t kTagBytes = 16;
  Seal(const Secret& secret, std::string_view salt);
  ~Seal();
  Seal(const Seal&) = delete;
  Seal& operator=(const Seal&) = delete;

  std::string close(uint64_t number, std::string_view text) const;
  // nullopt: not what was sealed.
  std::optional<std::string> open(uint64_t number, std::string_view sealed) const;

 private:
  std::array<unsigned char, 32> key_;
};

}  // namespace kg::feed
