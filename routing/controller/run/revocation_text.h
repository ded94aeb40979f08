// The text in the Secret of what is revoked: a stamp, then one entry a line as auth::Revocations
// has them.
//
// The stamp is the first line, "# kernelgate LINEAGE SERIAL" and words for whoever edits it. It
// says which texts a text comes after: a controller that writes has read the one that it replaces,
// gives the same lineage and a higher serial, and leaves out only what was taken back. So what is
// missing in a text that follows was taken back, by a notice that its writer heard or by who edited
// the text and left the stamp; what is missing in an older one, in one of another lineage, or in
// one without a stamp was lost. A lineage begins with a Secret. Values; pure. Errors: a text with a
// faulty line has no entries, and a sentence with the line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/revocations.h"

namespace kg::controller {

inline constexpr size_t kStampBytesMax = 160;  // with the words

struct RevocationStamp {
  std::string lineage;  // 16 of 0-9 and a-f; "": none, no controller wrote that
  uint64_t serial = 0;  // at most 15 digits

  bool follows(const RevocationStamp& before) const noexcept {
    return !lineage.empty() && lineage == before.lineage && serial >= before.serial;
  }
  // Of the text that comes after one with this; where there is none, of a new lineage.
  RevocationStamp next() const;
  bool operator==(const RevocationStamp&) const = default;
};

struct RevocationText {
  RevocationStamp stamp;
  std::vector<auth::Revocation> entries;
  std::string error;

  static RevocationText read(std::string_view text);
  static std::string write(const RevocationStamp& stamp,
                           const std::vector<auth::Revocation>& entries);
};

}  // namespace kg::controller
