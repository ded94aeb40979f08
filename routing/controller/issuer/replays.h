// Replays: sessions that were issued under a client token (domain E14), so that a call that is made
// again gets the same session: id, claims and end. The token itself is not kept, but signed anew.
//
// Owner: the Desk; known to this replica alone. Thread: one. Limits: kReplaysMax, the oldest goes
// first; an entry ends with its session.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/base/crypto.h"
#include "routing/controller/issuer/request.h"

namespace kg::issuer {

class Replays {
 public:
  struct Entry {
    crypto::Sha256 wish{};  // digest of what was asked for
    std::string token_id;
    int64_t issued_at = 0;
    uint32_t seconds = 0;
  };
  using Key = crypto::Sha256;
  static Key key_of(std::string_view caller, const Target& target, const Wish& wish);
  static crypto::Sha256 digest_of(const Wish& wish);

  // nullptr: none, or its session is over. Until the next call.
  const Entry* find(const Key& key, int64_t now);
  void remember(const Key& key, Entry entry);

 private:
  std::map<Key, Entry> entries_;
  std::deque<Key> order_;
};

}  // namespace kg::issuer
