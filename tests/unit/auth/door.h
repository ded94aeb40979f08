// A Door: an endpoint whose sessions are signed tokens, and the way through it, without cache.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/jwt_authenticator.h"
#include "auth/sessions.h"

namespace kg::auth {

// Keys that never change.
class FixedKeys final : public KeySource {
 public:
  explicit FixedKeys(std::shared_ptr<const KeySet> keys) : keys_(std::move(keys)) {}
  std::shared_ptr<const KeySet> keys() const override { return keys_; }
  uint64_t generation() const noexcept override { return 1; }

 private:
  std::shared_ptr<const KeySet> keys_;
};

inline std::shared_ptr<KeySource> fixed(std::shared_ptr<const KeySet> keys) {
  return std::make_shared<FixedKeys>(std::move(keys));
}

struct DoorRules {
  std::string realm;
  std::string issuer;
  std::string audience;
  std::vector<Algorithm> algorithms;
  std::string endpoint_id;
  std::string execution_role_arn;
  ClaimNames names;
  std::string virtual_cluster;
};

inline SessionsRef make_sessions(const DoorRules& rules, std::shared_ptr<const KeySet> keys) {
  Sessions::Chain chain;
  chain.push_back(std::make_unique<const JwtAuthenticator>(
      JwtRules{rules.realm, rules.issuer, rules.audience, rules.algorithms, rules.names},
      fixed(std::move(keys))));
  Policy policy;
  policy.endpoint_id = rules.endpoint_id;
  policy.execution_role_arn = rules.execution_role_arn;
  policy.virtual_cluster = rules.virtual_cluster;
  return std::make_shared<const Sessions>(std::move(chain), std::move(policy));
}

class Door {
 public:
  Door(const DoorRules& rules, std::shared_ptr<const KeySet> keys)
      : sessions_(make_sessions(rules, std::move(keys))) {}

  Result<Principal> verify(std::string_view token, int64_t now) const {
    Evidence evidence;
    evidence.token = token;
    Verdict verdict = sessions_->judge(Proof::kToken, evidence, now).verdict;
    if (verdict.kind != Verdict::Kind::kPrincipal) return verdict.error;
    const Result<void> allowed = allow(verdict.principal, now);
    if (!allowed) return allowed.error();
    return std::move(verdict.principal);
  }
  Result<void> allow(const Principal& principal, int64_t now) const {
    return sessions_->policy().allow(principal, now);
  }
  const SessionsRef& sessions() const noexcept { return sessions_; }

 private:
  SessionsRef sessions_;
};

}  // namespace kg::auth
