// Revocations: what is read writes itself so that it is read again, and revokes what it names.
#include "auth/revocations.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

constexpr int64_t kNow = 1'700'000'000;

auth::Principal target_of(const auth::Revocation& entry) {
  auth::Principal out;
  if (entry.kind == auth::RevocationKind::kToken) out.token_id = entry.name;
  if (entry.kind == auth::RevocationKind::kSession) out.session_id = entry.name;
  if (entry.kind == auth::RevocationKind::kSubject) out.subject = entry.name;
  out.realm = entry.realm;
  return out;
}

}  // namespace

void run(std::string_view input) {
  const auth::Revocations::Lines read = auth::Revocations::read_lines(input);
  KG_ASSERT(read.error.empty() || read.entries.empty());
  const auth::Revocations set(read.entries, kNow);
  for (const auth::Revocation& entry : read.entries) {
    const auth::Revocation::Parsed again = auth::Revocation::parse(entry.json());
    KG_ASSERT(again.revocation && again.revocation->same_target(entry));
    KG_ASSERT(again.revocation->before == entry.before && again.revocation->until == entry.until);
    const bool at_endpoint = entry.kind == auth::RevocationKind::kEndpoint;
    const bool ended = entry.until != 0 && entry.until <= kNow;
    KG_ASSERT(ended || set.revokes(target_of(entry), at_endpoint ? entry.name : "", kNow));
  }
  KG_ASSERT(!set.revokes({}, "", kNow));
}

}  // namespace kg::fuzz
