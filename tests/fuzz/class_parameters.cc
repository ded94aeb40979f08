// The ConfigMap of a class, a line KEY=VALUE each: bounds that can be read, or none and a finding.
#include <algorithm>

#include "routing/controller/ingress/parameters.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  ingress::TextMap data;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\0'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    data.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  const ingress::ReadParameters read = ingress::read_parameters(data);
  const bool has_error = std::ranges::any_of(read.findings, [](const ingress::Finding& finding) {
    return finding.severity == ingress::Severity::kError;
  });
  KG_ASSERT(read.parameters.has_value() != has_error);
  if (!read.parameters) return;
  KG_ASSERT(data.contains("allowed-hosts") == !read.parameters->allowed_hosts.empty());
  KG_ASSERT(data.contains("allowed-issuers") == !read.parameters->allowed_issuers.empty());
  for (const auto& [name, most] : read.parameters->quota_max) KG_ASSERT(most > 0);
  if (!read.parameters->host_template.empty())
    KG_ASSERT(read.parameters->host_of("x").find("{id}") == std::string::npos);
  static_cast<void>(read.parameters->allows_host("n", "a.example.com"));
}

}  // namespace kg::fuzz
