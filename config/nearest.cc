#include "config/nearest.h"

#include <algorithm>
#include <array>

namespace kg::config {
namespace {

constexpr size_t kErrorsMax = 3;

// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
size_t edit_distance(std::string_view a, std::string_view b) {
  using Row = std::array<size_t, Nearest::kLengthMax + 1>;
  Row before{}, last{}, row{};
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

Nearest::Nearest(std::string_view wanted) noexcept
    : wanted_(wanted),
      below_(wanted.size() > kLengthMax ? 0 : std::min(kErrorsMax, (wanted.size() + 1) / 3) + 1) {}

void Nearest::offer(std::string_view name) {
  // As many errors at least as one is longer than the other.
  const size_t longer = std::max(wanted_.size(), name.size());
  const size_t shorter = std::min(wanted_.size(), name.size());
  if (longer > kLengthMax || longer - shorter >= below_) return;
  const size_t distance = edit_distance(wanted_, name);
  if (distance >= below_) return;
  below_ = distance;
  found_ = name;
}

}  // namespace kg::config
