// What replicas and controllers say to each other about revocations: a notice (a fact of the feed),
// and the lists of all (items of the feed, one for each scope).
//
// Nobody is named: entries are told by their marks (auth::Revocation::marked), since everybody
// hears of what counts everywhere. Where an entry counts is the scope of the fact or item that
// brings it, and never its own word: so nobody can speak beyond the scope of a key. Values; pure.
// Notice: "revoke " or "unrevoke " and the entry as auth::Revocation writes it. List:
// {"schema":1, "kind":"revocations", "entries":[...]}; members that are not known are ignored, in
// an entry they are faults. Limits: limits::kRevocationsMax entries.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/revocations.h"
#include "routing/feed/item.h"
#include "routing/feed/message.h"

namespace kg::routing {

// Of an item. Behind it, for a narrower scope, a slash and the scope.
inline constexpr std::string_view kRevocationsKey = "revocations";
bool is_revocations_key(std::string_view key) noexcept;

// A scope of auth::Revocation as the feed has it ("" everybody's, "NAMESPACE" with every endpoint,
// "NAMESPACE/ENDPOINT"), and the other way round: nullopt for what is no such scope.
struct FeedScope {
  std::string scope_namespace;
  std::string endpoint;
};
FeedScope feed_scope(std::string_view scope);
std::optional<std::string> scope_of(std::string_view scope_namespace, std::string_view endpoint);

struct RevocationNotice {
  bool revoked = true;  // false: it counts no more
  auth::Revocation revocation;

  feed::Fact fact() const;
  // nullopt for another fact, and for a notice with anything wrong, such as a name.
  static std::optional<RevocationNotice> of(const feed::Fact& fact);
};

// One item for each scope that has entries, and one of everybody.
std::vector<feed::Item> revocation_items(const std::vector<auth::Revocation>& entries);
// nullopt for anything wrong.
std::optional<std::vector<auth::Revocation>> read_revocations(const feed::Item& item);

}  // namespace kg::routing
