// Revocations: what is read writes itself so that it is read again, and revokes what it names.
#include "auth/revocations.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

constexpr int64_t kNow = 1'700'000'000;

auth::SessionMarks marks_of(const auth::Revocation& entry) {
  auth::SessionMarks out;
  if (entry.kind == auth::RevocationKind::kToken) out.token = entry.mark;
  if (entry.kind == auth::RevocationKind::kSession) out.session = entry.mark;
  if (entry.kind == auth::RevocationKind::kSubject) out.subject = entry.mark;
  if (entry.kind == auth::RevocationKind::kEndpoint) out.endpoint = entry.mark;
  return out;
}

auth::Place place_of(const auth::Revocation& entry) {
  const std::string_view scope = entry.scope;
  const size_t slash = std::min(scope.find('/'), scope.size());
  return {scope.substr(0, slash), scope.substr(std::min(slash + 1, scope.size()))};
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
    KG_ASSERT(again.revocation->mark == entry.mark);
    KG_ASSERT(*auth::Revocation::parse(entry.marked().json()).revocation == entry.marked());
    const bool counts = (entry.until == 0 || entry.until > kNow) && entry.mark != auth::Mark{};
    KG_ASSERT(!counts || set.revokes(marks_of(entry), place_of(entry), kNow));
  }
  KG_ASSERT(!set.revokes({}, {}, kNow));
}

}  // namespace kg::fuzz
