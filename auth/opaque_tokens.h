// OpaqueTokens: session tokens that say nothing by themselves, from a file that says whose they
// are.
//
// The file has one JSON object a line: `sha256`, the token's digest in hex; `exp`, when it ends, in
// seconds since the epoch; and the claims of a session by their usual names (sub, endpoint,
// virtual_cluster, groups, role, log_context, jti, sid, iat), further ones for policy in an object
// `claims`. Empty lines and lines that begin with # do not count. Any other member, a digest twice,
// or a line that cannot be read makes the whole file unusable: a misspelt restriction must not
// become none.
//
// A digest without salt is enough because these tokens are random: `kernelgate token --opaque`
// makes them of 256 bits, and what is shorter than kOpaqueTokenBytesMin is never looked up.
// Immutable; any thread. Limits: kOpaqueTokensMax lines, kOpaqueFileBytesMax.
// Time:   a search by the digest's first eight bytes, then one comparison in constant time. What a
//         stranger could measure are prefixes of digests, which lead to no token.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"
#include "proxy/base/crypto.h"

namespace kg::auth {

inline constexpr size_t kOpaqueTokensMax = 100'000;
inline constexpr size_t kOpaqueFileBytesMax = size_t{64} * 1024 * 1024;  // 640 bytes a line
inline constexpr size_t kOpaqueTokenBytesMin = 22;                       // 128 bits in base64url

class OpaqueTokens {
 public:
  struct Loaded {
    std::shared_ptr<const OpaqueTokens> tokens;
    std::string error;  // a sentence with the line; never a value of it
  };
  static Loaded from_text(std::string_view text);
  static Loaded from_file(const std::string& path);

  // Whose token it is, without a realm, be it over or not. Null if no line has its digest.
  const Principal* find(std::string_view token) const noexcept;
  // Does every token of `other` still mean the same here?
  bool holds_all_of(const OpaqueTokens& other) const noexcept;
  size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    crypto::Sha256 digest;
    crypto::Sha256 line;  // its digest: has it changed?
    Principal principal;
  };
  const Entry* find(const crypto::Sha256& digest) const noexcept;

  std::vector<Entry> entries_;  // by digest
};

}  // namespace kg::auth
