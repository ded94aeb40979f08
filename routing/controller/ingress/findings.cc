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
  } else if (all_.size() == kFindingsMax) {
    all_.push_back({Severity::kWarning, "TooManyFindings", "more is wrong: mend these first"});
  }
}

}  // namespace kg::ingress
