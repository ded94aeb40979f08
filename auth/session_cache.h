// SessionCache: principals that this worker has verified lately, so that a token costs one
// signature check per worker, not one per request.
//
// Owner:  one worker; not thread-safe. Holds identities, never decisions: whoever hits asks
//         allow() again.
// Limits: kSessionCacheMax entries, oldest out first; entries end with the session. Only good
//         tokens enter, so a flood of bad ones cannot evict. Keyed by SHA-256 of verifier
//         generation and token: no token is held.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "auth/principal.h"
#include "auth/session_verifier.h"
#include "proxy/base/crypto.h"
#include "proxy/base/result.h"

namespace kg::auth {

class SessionCache {
 public:
  SessionCache();
  // Verifies by cache or by `verifier`, and asks verifier.allow() either way. An entry answers only
  // for the verifier (by generation) that made it. forget_all() on every new snapshot frees the old
  // ones early.
  Result<std::shared_ptr<const Principal>> verify(const SessionVerifier& verifier,
                                                  std::string_view token, int64_t now);
  void forget_all();
  size_t size() const noexcept { return entries_.size(); }
  // Calls of verify() that needed no signature check, since the start.
  uint64_t hits() const noexcept { return hits_; }

 private:
  struct KeyHash {
    size_t operator()(const crypto::Sha256& key) const noexcept;
  };
  struct Entry {
    std::shared_ptr<const Principal> principal;
    std::list<crypto::Sha256>::iterator age;
  };
  using Entries = std::unordered_map<crypto::Sha256, Entry, KeyHash>;

  void remember(const crypto::Sha256& key, const std::shared_ptr<const Principal>& principal);
  void forget(Entries::iterator entry);

  Entries entries_;
  std::list<crypto::Sha256> by_age_;  // oldest first
  uint64_t hits_ = 0;
};

}  // namespace kg::auth
