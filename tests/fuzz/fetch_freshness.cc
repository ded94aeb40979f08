// Cache-Control and Age of an issuer: one line of the input is one field.
#include "proxy/fetch/freshness.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  std::vector<std::string> control;
  std::vector<std::string> age;
  while (!input.empty() && control.size() + age.size() < 16) {
    const size_t end = std::min(input.find('\n'), input.size());
    const std::string line(input.substr(0, end));
    if (line.starts_with('@')) {
      age.push_back(line.substr(1));
    } else {
      control.push_back(line);
    }
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  const auto fresh = fetch::seconds_fresh(control, age);
  const auto without_age = fetch::seconds_fresh(control, {});
  KG_ASSERT(fresh.has_value() == without_age.has_value());
  if (!fresh) return;
  KG_ASSERT(*fresh <= *without_age && *without_age <= 2'147'483'648U);
  control.emplace_back("no-store");
  KG_ASSERT(fetch::seconds_fresh(control, age) == 0U);
}

}  // namespace kg::fuzz
