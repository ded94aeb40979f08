#include "routing/controller/ingress/findings.h"

#include <algorithm>
#include <utility>

#include "routing/controller/ingress/limits.h"

namespace kg::ingress {

void Findings::add(Finding finding) {
  has_errors_ = has_errors_ || finding.severity == Severity::kError;
  if (std::ranges::find(all_, finding) != all_.end()) return;
  if (all_.size() < kFindingsMax) {
    all_.push_back(std::move(finding));
    return;
  }
  if (all_.size() == kFindingsMax)
    all_.push_back({Severity::kWarning, "TooManyFindings", "more is wrong: mend these first"});
  make_room(std::move(finding));
}

// In place of the last one of those that matter least, if it matters more.
void Findings::make_room(Finding finding) {
  Finding* least = all_.data();
  for (size_t i = 1; i < kFindingsMax; ++i) {
    if (all_[i].severity >= least->severity) least = &all_[i];
  }
  if (finding.severity < least->severity) *least = std::move(finding);
}

}  // namespace kg::ingress
