// Reads what an endpoint lets whom do: `sessions.allow`, `.support`, `.operations`, `kernels`,
// `quotas` and `gateway.identity_headers`.
//
// Thread: control. Problems go to the section's collector.
#pragma once

#include "config/config.h"
#include "config/section.h"

namespace kg::config {

void read_policy(const Section& sessions, Policy& out);
std::vector<std::string> read_specs(const Section& kernels);
PrincipalQuotas read_quotas(const Section& quotas);
IdentityHeaders read_identity_headers(const Section& headers);

}  // namespace kg::config
