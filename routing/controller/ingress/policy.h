// What a class's parameters forbid its Ingresses: annotations may narrow, never widen (domain A29).
//
// Pure; any thread.
#pragma once

#include "routing/controller/ingress/findings.h"
#include "routing/controller/ingress/parameters.h"
#include "routing/controller/ingress/values.h"

namespace kg::ingress {

// Judges issuers, their keys and quotas in `keys`, an entry of `endpoints[]`. A quota that is not
// given, and whose own default is wider than the class allows, becomes what the class allows.
// Kernels are not counted where the caller's token goes to the gateway.
void check_policy(const Values& values, const Parameters& parameters, Json& keys,
                  Findings& findings);

// Whether the caller's own token goes to the gateway.
bool forwards(const Json& keys);

}  // namespace kg::ingress
