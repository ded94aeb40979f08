#include "auth/policy.h"

#include <algorithm>

namespace kg::auth {
namespace {

bool holds(const std::vector<std::string>& texts, std::string_view text) noexcept {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// A claim of several texts has several entries: one that counts is enough.
bool meets(const Principal& principal, const People::ClaimRule& rule) noexcept {
  return std::any_of(principal.claims.begin(), principal.claims.end(), [&](const auto& claim) {
    return claim.first == rule.first && holds(rule.second, claim.second);
  });
}

}  // namespace

bool People::include(const Principal& principal) const noexcept {
  if (!realms.empty() && !holds(realms, principal.realm)) return false;
  if (holds(subjects, "*") || holds(subjects, principal.subject)) return true;
  const auto is_named = [this](const std::string& group) { return holds(groups, group); };
  if (std::any_of(principal.groups.begin(), principal.groups.end(), is_named)) return true;
  return !claims.empty() && std::all_of(claims.begin(), claims.end(), [&](const ClaimRule& rule) {
    return meets(principal, rule);
  });
}

bool Policy::is_member(const Principal& principal) const noexcept {
  return principal.endpoint.empty() ? allowed.include(principal)
                                    : principal.endpoint == endpoint_id;
}

Result<void> Policy::allow(const Principal& principal, int64_t now) const {
  if (now >= principal.expires_at) return Error{ErrorCode::kSessionExpired, "token exp", 0};
  if (!principal.endpoint.empty() && principal.endpoint != endpoint_id) {
    return Error{ErrorCode::kForbidden, "token is for another endpoint", 0};
  }
  if (!principal.virtual_cluster.empty() && principal.virtual_cluster != virtual_cluster) {
    return Error{ErrorCode::kForbidden, "token is for another virtual cluster", 0};
  }
  if (!principal.role.empty() && !execution_role_arn.empty() &&
      principal.role != execution_role_arn) {
    return Error{ErrorCode::kForbidden, "token is for another execution role", 0};
  }
  if (!is_member(principal) && !support.include(principal)) {
    return Error{ErrorCode::kForbidden, "token names no endpoint, sessions.allow not its bearer",
                 0};
  }
  return {};
}

Result<Grant> Policy::permit(const Principal& principal, kernel::Operation operation) const {
  const bool supports = kSupportOperations.has(operation) && support.include(principal);
  if (!supports && !is_member(principal)) {
    return Error{ErrorCode::kOperationForbidden, "not an operation of sessions.support", 0};
  }
  for (const OperationRule& rule : rules) {
    if (!rule.operations.has(operation) || !rule.people.include(principal)) continue;
    if (!rule.allows) return Error{ErrorCode::kOperationForbidden, "sessions.operations", 0};
    break;
  }
  return Grant{supports};
}

bool Policy::shows_spec(std::string_view name) const noexcept {
  return specs.empty() || holds(specs, name);
}

std::vector<std::string> Policy::claims_wanted() const {
  std::vector<std::string> names;
  for (const People::ClaimRule& rule : allowed.claims) {
    if (!holds(names, rule.first)) names.push_back(rule.first);
  }
  return names;
}

}  // namespace kg::auth
