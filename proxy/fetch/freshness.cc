#include "proxy/fetch/freshness.h"

#include <algorithm>
#include <string_view>

#include "proxy/base/ascii.h"

namespace kg::fetch {
namespace {

constexpr uint64_t kSecondsMax = uint64_t{1} << 31;
constexpr std::string_view kMaxAge = "max-age=";

std::optional<uint64_t> seconds_of(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  // More digits than fit are as good as for ever.
  if (text.size() > 19 && text.find_first_not_of("0123456789") == std::string_view::npos) {
    return kSecondsMax;
  }
  return ascii::parse_decimal(text);
}

}  // namespace

std::optional<uint32_t> seconds_fresh(const std::vector<std::string>& cache_control,
                                      const std::vector<std::string>& age) {
  std::optional<uint64_t> fresh;
  const auto at_most = [&](uint64_t seconds) {
    fresh = std::min({fresh.value_or(kSecondsMax), seconds, kSecondsMax});
  };
  for (const std::string& value : cache_control) {
    ascii::for_each_element(value, [&](std::string_view directive) {
      if (ascii::equals_ignore_case(directive, "no-store") ||
          ascii::starts_with_ignore_case(directive, "no-cache")) {
        at_most(0);
      } else if (ascii::starts_with_ignore_case(directive, kMaxAge)) {
        const auto seconds = seconds_of(directive.substr(kMaxAge.size()));
        if (seconds) at_most(*seconds);
      }
    });
  }
  if (!fresh) return std::nullopt;
  uint64_t spent = 0;
  for (const std::string& value : age) {
    spent = std::max(spent, seconds_of(ascii::trim(value)).value_or(0));
  }
  return static_cast<uint32_t>(*fresh - std::min(*fresh, spent));
}

}  // namespace kg::fetch
