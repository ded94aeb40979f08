// The state file of closed pods: what is taken is written and read back equal.
#include "routing/cordons.h"

#include "proxy/base/limits.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  std::string problem;
  const auto cordons = routing::Cordons::parse(input, problem);
  KG_ASSERT(cordons.has_value() == problem.empty());
  if (!cordons) return;
  KG_ASSERT(cordons->all().size() <= limits::kCordonsMax);
  const auto again = routing::Cordons::parse(cordons->text(), problem);
  KG_ASSERT(again && *again == *cordons);
}

}  // namespace kg::fuzz
