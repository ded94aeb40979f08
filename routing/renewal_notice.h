// What replicas say to each other about renewals: that somebody showed a fresher session at an
// endpoint (a fact of the feed, in the scope of that endpoint). It names nobody: whoever has a
// WebSocket of that person open knows the mark.
//
// Values; pure. A notice: "renew " and 1 to kRenewalsPerFact entries of kRenewalBytes: marks of
// subject, token and session, then the times of issue and end, in seconds, as eight bytes each,
// big-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/revocations.h"

namespace kg::routing {

inline constexpr size_t kRenewalBytes = 3 * sizeof(auth::Mark) + 2 * sizeof(uint64_t);
inline constexpr size_t kRenewalsPerFact = 32;  // below feed::kFactBytesMax

struct Renewal {
  auth::Mark subject{};    // with its realm
  auth::Mark token{};      // of the fresher session; zeros: it has none
  auth::Mark session{};    // likewise
  int64_t issued_at = 0;   // 0: not known
  int64_t expires_at = 0;  // never 0
  bool operator==(const Renewal&) const = default;
};

std::string renewals_text(std::span<const Renewal> renewals);
// nullopt for anything else.
std::optional<std::vector<Renewal>> read_renewals(std::string_view text);

}  // namespace kg::routing
