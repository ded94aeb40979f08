// VerdictCache: what a service has lately said of credentials, so that it is asked once for all
// workers and all connections.
//
// Owner:  one RemoteJudge; not thread-safe. Limits: kRemoteKnownMax good ones and as many bad ones,
//         oldest out first, so that a flood of bad ones evicts no good one. Keyed by a hash with a
//         key of this process: no credential is held.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "auth/authenticator.h"
#include "proxy/base/crypto.h"

namespace kg::auth {

class VerdictCache {
 public:
  using Key = crypto::Sha256;
  VerdictCache();
  Key key_of(std::string_view credential) const noexcept;

  // Times in seconds since the epoch. nullopt: not known, or no longer believed.
  std::optional<Verdict> find(const Key& key, int64_t now);
  void remember(const Key& key, const Verdict& verdict, int64_t until);
  size_t size() const noexcept { return entries_.size(); }

  struct KeyHash {
    size_t operator()(const Key& key) const noexcept;
  };

 private:
  struct Entry {
    Verdict verdict;
    int64_t until;
    std::list<Key>::iterator age;
  };
  using Entries = std::unordered_map<Key, Entry, KeyHash>;

  std::list<Key>& ages_of(const Verdict& verdict) noexcept;
  void forget(Entries::iterator entry);

  Key secret_;
  Entries entries_;
  std::list<Key> good_;  // oldest first
  std::list<Key> bad_;
};

}  // namespace kg::auth
