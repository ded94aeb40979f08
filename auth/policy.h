// Policy: what a verified principal may do at one endpoint. Default deny. A value; immutable.
//
// Asked in this order, and the first no counts:
//   1. The session: not over, not another endpoint's, not that of another virtual cluster, not
//      another execution role's. No rule below outweighs that.
//   2. Membership: the token names this endpoint, or `allowed` names the principal. Who is named by
//      `support` alone is no member: of the operations it has those of kSupportOperations.
//   3. `rules`: the first one that speaks of the operation and the principal decides; without one,
//      whoever came so far may.
// Whose kernel it is comes later and is judged elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/principal.h"
#include "proxy/base/result.h"
#include "proxy/kernel/operation.h"

namespace kg::auth {

// A set of operations; empty by default.
class OperationSet {
 public:
  constexpr OperationSet() = default;
  static constexpr OperationSet all() noexcept { return OperationSet(kAll); }
  constexpr OperationSet with(kernel::Operation operation) const noexcept {
    return OperationSet(bits_ | bit(operation));
  }
  constexpr bool has(kernel::Operation operation) const noexcept {
    return (bits_ & bit(operation)) != 0;
  }
  bool operator==(const OperationSet&) const = default;

 private:
  static constexpr uint32_t kAll = (uint32_t{1} << kernel::kOperationCount) - 1;
  static constexpr uint32_t bit(kernel::Operation operation) noexcept {
    return uint32_t{1} << static_cast<uint8_t>(operation);
  }
  constexpr explicit OperationSet(uint32_t bits) : bits_(bits) {}
  uint32_t bits_ = 0;
};

// Of kernels of other owners (Grant::support).
inline constexpr OperationSet kSupportOperations = OperationSet()
                                                       .with(kernel::Operation::kListKernels)
                                                       .with(kernel::Operation::kInterruptKernel)
                                                       .with(kernel::Operation::kDeleteKernel);

// Some of the verified principals. Each kind of name is enough: a subject, a group, or the claims,
// of which every listed one must have one of its values. Empty: nobody.
struct People {
  using ClaimRule = std::pair<std::string, std::vector<std::string>>;  // name, values that count

  std::vector<std::string> realms;    // narrows all kinds; empty: every realm
  std::vector<std::string> subjects;  // "*": every verified principal
  std::vector<std::string> groups;
  std::vector<ClaimRule> claims;

  bool empty() const noexcept { return subjects.empty() && groups.empty() && claims.empty(); }
  bool include(const Principal& principal) const noexcept;
};

struct OperationRule {
  OperationSet operations;
  People people;
  bool allows = false;
};

// What an operation may do that the policy lets pass.
struct Grant {
  bool support = false;  // also with kernels of other owners; its use is audited
};

struct Policy {
  std::string endpoint_id;         // a token's endpoint must equal it if there is one
  std::string virtual_cluster;     // the same: an id that is given up may come again elsewhere
  std::string execution_role_arn;  // a token's role must equal it when both are given
  People allowed;                  // whose tokens need not name the endpoint
  People support;
  std::vector<OperationRule> rules;
  std::vector<std::string> specs;  // kernel specs that may be seen and started; empty: all

  // May that principal use this endpoint at all? Cheap: asked for every request. kSessionExpired
  // from the second on that the session ends (RFC 7519 section 4.1.4), kForbidden for a session of
  // another endpoint, virtual cluster or role, and for who is neither a member nor support.
  Result<void> allow(const Principal& principal, int64_t now) const;
  // May who passed allow() do that? kOperationForbidden if not.
  Result<Grant> permit(const Principal& principal, kernel::Operation operation) const;
  // By exact name: gateways list lower-case names, and take no other name for the same spec there.
  bool shows_spec(std::string_view name) const noexcept;
  // The claims that authenticators have to keep (Principal::claims), each once.
  std::vector<std::string> claims_wanted() const;

 private:
  bool is_member(const Principal& principal) const noexcept;
};

}  // namespace kg::auth
