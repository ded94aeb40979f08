// SessionCache: what this worker found out lately about credentials, so that each costs one
// verification per worker, not one per request.
//
// Owner:  one worker; not thread-safe. Holds identities, never decisions: whoever hits asks the
//         policy again. No credential is held: the key is a keyed hash of 128 bits of Sessions::id,
//         proof and credential.
// Found:  in the connection's Slot first, which costs one comparison and outlives eviction from the
//         table, however many users the worker has; then in the table.
// Ends:   with its session, when it is believed no longer, and when its authenticator's generation
//         is not the one under which it was verified.
// Limits: kSessionCacheMax principals, oldest out first; only good credentials enter. Refusals have
//         a table of their own, kSessionRefusalsMax places chosen by the hash, so that a flood of
//         bad ones evicts nothing but itself; they are believed for kSessionRefusedSeconds, which
//         spares the same bad token a check each time and still forgives soon.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "auth/principal.h"
#include "auth/sessions.h"
#include "proxy/base/crypto.h"
#include "proxy/base/error.h"
#include "proxy/base/limits.h"

namespace kg::auth {

class SessionCache {
 public:
  using Key = crypto::KeyedHash::Hash;
  struct KeyHash {
    size_t operator()(const Key& key) const noexcept;
  };
  struct Known {
    PrincipalRef principal;
    const Authenticator* link = nullptr;  // lives while anybody asks with this key: Sessions own it
    uint64_t generation = 0;              // of link, before it judged
  };
  // Whom a connection's last good credential belonged to. The connection owns it.
  struct Slot {
    Key key{};
    Known known;
  };

  SessionCache();
  Key key_of(const Sessions& sessions, Proof proof, std::string_view credential) noexcept;

  // Null if not known. An expired session is returned once more, so that whoever asks can say so.
  PrincipalRef find(const Key& key, Slot& slot, int64_t now);
  void remember(const Key& key, Slot* slot, Known known);
  std::optional<Error> find_refusal(const Key& key, int64_t now) const;
  void remember_refusal(const Key& key, const Error& why, int64_t now);
  void forget_all();
  size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    Known known;
    std::list<Key>::iterator age;
  };
  using Entries = std::unordered_map<Key, Entry, KeyHash>;
  struct Refusal {
    Key key{};
    Error why;
    int64_t until = 0;  // seconds since the epoch
  };

  static bool is_current(const Known& known, int64_t now) noexcept;
  static size_t place_of(const Key& key) noexcept;
  void forget(Entries::iterator entry);

  crypto::KeyedHash hash_;
  Entries entries_;
  std::list<Key> by_age_;  // oldest first
  std::unique_ptr<std::array<Refusal, limits::kSessionRefusalsMax>> refusals_;
};

}  // namespace kg::auth
