// Compiles what an endpoint lets whom do from its configuration. Pure; any thread.
#pragma once

#include "auth/policy.h"
#include "config/config.h"

namespace kg::routing {

auth::Policy compile_policy(const config::Endpoint& wanted);

}  // namespace kg::routing
