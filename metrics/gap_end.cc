#include "metrics/gap_end.h"

namespace kg::metrics {

std::string_view gap_end_label(GapEnd end) noexcept {
  switch (end) {
    case GapEnd::kMended:
      return "mended";
    case GapEnd::kDead:
      return "dead";
    case GapEnd::kTimeout:
      return "timeout";
    case GapEnd::kRefused:
      return "refused";
    case GapEnd::kDropped:
      return "dropped";
    case GapEnd::kInsideMessage:
      return "inside_message";
    case GapEnd::kUnheld:
      return "unheld";
    case GapEnd::kExtension:
      return "extension";
  }
  return "";
}

}  // namespace kg::metrics
