// What replicas and controllers say to each other about revocations: a notice (a fact of the feed),
// and the list of all (an item of the feed).
//
// Values; pure. Notice: "revoke " or "unrevoke " and the entry as auth::Revocation writes it. List:
// {"schema":1, "kind":"revocations", "entries":[...]}. Limits: limits::kRevocationsMax entries.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/revocations.h"

namespace kg::routing {

inline constexpr std::string_view kRevocationsKey = "revocations";  // of the item

// Who is revoked is so at every endpoint: only whose key sees all of them may say it, and only such
// a one can send a fact of no namespace.
inline bool may_revoke(std::string_view scope_namespace) noexcept {
  return scope_namespace.empty();
}

struct RevocationNotice {
  bool revoked = true;  // false: it counts no more
  auth::Revocation revocation;

  std::string text() const;
  static std::optional<RevocationNotice> parse(std::string_view text);
};

std::string revocations_payload(const std::vector<auth::Revocation>& entries);
// nullopt for anything wrong.
std::optional<std::vector<auth::Revocation>> read_revocations_payload(std::string_view payload);

}  // namespace kg::routing
