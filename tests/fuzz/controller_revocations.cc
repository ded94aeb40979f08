// The Secret of what is revoked: what is read writes itself so that it is read again, and what a
// controller writes next follows what it read.
#include "routing/controller/run/revocation_text.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  using controller::RevocationStamp;
  using controller::RevocationText;
  const RevocationText read = RevocationText::read(input);
  KG_ASSERT(read.error.empty() || (read.entries.empty() && read.stamp.lineage.empty()));
  KG_ASSERT(!read.stamp.follows(RevocationStamp()));
  const RevocationStamp next = read.stamp.next();
  KG_ASSERT(!read.stamp.follows(next));
  const RevocationText written = RevocationText::read(RevocationText::write(next, read.entries));
  KG_ASSERT(written.error.empty() && written.stamp == next);
  KG_ASSERT(written.entries.size() == read.entries.size());
  const bool same_lineage = next.lineage == read.stamp.lineage;
  KG_ASSERT(next.follows(read.stamp) == same_lineage);
  KG_ASSERT(same_lineage || read.stamp.lineage.empty() || read.stamp.serial > 1'000'000'000'000);
}

}  // namespace kg::fuzz
