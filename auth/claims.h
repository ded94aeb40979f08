// Claims: what a verified set of claims says of its bearer, whatever brought it: a signed token, a
// load balancer's header, a line of a file, an introspection's answer.
//
// Limits: texts of at most kClaimBytesMax bytes (a role: kRoleBytesMax) without control characters;
//         kGroupsMax groups. A claim of another type or size makes the whole set unusable: what is
//         there but cannot be read is not the same as what is not there.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "auth/principal.h"
#include "auth/strict_json.h"
#include "proxy/base/result.h"

namespace kg::auth {

// Which claim means what. The defaults are those of tokens made for Kernelgate.
struct ClaimNames {
  std::string subject = "sub";
  std::string endpoint = "endpoint";
  std::string groups = "groups";
  std::vector<std::string> others;  // that policy asks for: each value becomes a pair of its own
  std::string virtual_cluster = "virtual_cluster";
  bool needs_virtual_cluster = false;  // where they name an endpoint
};

// All of a Principal but realm and times. kUnauthorized with the fault; kForbidden where an
// endpoint stands without the virtual cluster that `names` needs.
//
// Groups are an array of texts, or one text that is one group, however many spaces it has: some
// issuers send a single group so, and a group called "data admins" is not "admins".
Result<Principal> read_claims(const JsonObject& claims, const ClaimNames& names);

// These claims as pairs of name and value, one for each element of an array.
using Claim = std::pair<std::string, std::string>;
Result<std::vector<Claim>> read_further(const JsonObject& claims,
                                        const std::vector<std::string>& names);

}  // namespace kg::auth
