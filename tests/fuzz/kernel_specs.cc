// A gateway's list of kernel specs, reduced: what is kept was there, and nothing else is.
#include <nlohmann/json.hpp>

#include "proxy/base/assert.h"
#include "proxy/kernel/spec_list.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  using Json = nlohmann::json;
  const auto keep = [](std::string_view name) { return name.size() % 2 == 1; };
  const std::optional<std::string> out = kernel::filter_spec_list(input, keep);
  const Json before = Json::parse(input, nullptr, /*allow_exceptions=*/false);
  if (!out) return;
  KG_ASSERT(before.is_object() && before.contains("kernelspecs"));
  const Json after = Json::parse(*out, nullptr, /*allow_exceptions=*/false);
  KG_ASSERT(after.is_object() && after.size() == 2);
  const Json& specs = after.at("kernelspecs");
  for (const auto& [name, spec] : specs.items()) {
    KG_ASSERT(keep(name) && before.at("kernelspecs").at(name) == spec);
  }
  const std::string chosen = after.at("default");
  KG_ASSERT(specs.empty() ? chosen.empty() : specs.contains(chosen));
  // Reduced once more it stays as it is.
  KG_ASSERT(kernel::filter_spec_list(*out, keep) == out);
}

}  // namespace kg::fuzz
