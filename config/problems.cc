#include "config/problems.h"

#include <algorithm>

namespace kg::config {

void Problems::add(const Place& place, std::string problem, std::string remedy, bool warning) {
  has_errors_ = has_errors_ || !warning;
  if (entries_.size() >= kProblemsMax) {
    overflowed_ = true;
    return;
  }
  entries_.push_back(
      {file_, place.line, place.key, std::move(problem), std::move(remedy), warning});
}

void Problems::error(const Place& place, std::string problem, std::string remedy) {
  add(place, std::move(problem), std::move(remedy), /*warning=*/false);
}

void Problems::warn(const Place& place, std::string problem, std::string remedy) {
  add(place, std::move(problem), std::move(remedy), /*warning=*/true);
}

std::vector<ConfigError> Problems::take() {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const ConfigError& a, const ConfigError& b) { return a.line < b.line; });
  if (overflowed_) {
    entries_.push_back({file_, 0, "", "more than " + std::to_string(kProblemsMax) + " problems",
                        "mend these first", !has_errors_});
  }
  return std::move(entries_);
}

std::string quote(std::string_view value) {
  constexpr size_t kShownBytesMax = 60;
  size_t end = std::min(value.size(), kShownBytesMax);
  // Not in the middle of a UTF-8 character: its later bytes are 10xxxxxx.
  while (end < value.size() && end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80)
    --end;
  std::string out = "\"";
  out += value.substr(0, end);
  out += end < value.size() ? "...\"" : "\"";
  return out;
}

}  // namespace kg::config
