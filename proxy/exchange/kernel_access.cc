#include "proxy/exchange/kernel_access.h"

#include <algorithm>
#include <vector>

namespace kg::exchange {
namespace {

using kernel::Scope;

bool is_member(const auth::Principal& who, const std::string& group) {
  return std::find(who.groups.begin(), who.groups.end(), group) != who.groups.end();
}

Scope user_scope(const auth::Principal& who) {
  return {Scope::Kind::kUser, who.realm, who.subject};
}

// All that a caller may claim. The group of the present policy comes before the others, because
// KernelClaim takes kScopesMax of them.
std::vector<Scope> scopes_of(const auth::Principal& who, const routing::KernelPolicy& policy) {
  std::vector<Scope> scopes{user_scope(who), {Scope::Kind::kEndpoint, "", ""}};
  if (is_member(who, policy.group)) scopes.push_back({Scope::Kind::kGroup, "", policy.group});
  for (const std::string& group : who.groups) {
    if (group != policy.group) scopes.push_back({Scope::Kind::kGroup, "", group});
  }
  return scopes;
}

}  // namespace

void KernelAccess::is_for(const std::shared_ptr<const kernel::KernelIdKeys>& keys,
                          const routing::Endpoint& endpoint, const auth::PrincipalRef& who) {
  const uint64_t sessions_id = endpoint.sessions->id();
  if (keys == keys_ && who == who_ && sessions_id == sessions_id_) return;
  keys_ = keys;
  who_ = who;
  sessions_id_ = sessions_id;
  foreign_ids_ = endpoint.kernels.foreign_ids;
  claim_.emplace(endpoint.id, scopes_of(*who, endpoint.kernels));
  last_id_.clear();
}

KernelAccess::Answer KernelAccess::may_use(std::string_view kernel_id) {
  if (kernel_id == last_id_ && !last_id_.empty()) return last_answer_;
  using Verdict = kernel::KernelClaim::Verdict;
  const Verdict verdict = claim_->judge(*keys_, kernel_id);
  last_id_ = kernel_id;
  last_minted_ = verdict != Verdict::kForeign;
  last_answer_ = verdict == Verdict::kOwn      ? Answer::kAllowed
                 : verdict == Verdict::kOthers ? Answer::kOthers
                 : foreign_ids_                ? Answer::kAllowed
                                               : Answer::kForeign;
  return last_answer_;
}

bool KernelAccess::is_minted(std::string_view kernel_id) {
  may_use(kernel_id);
  return last_minted_;
}

bool KernelAccess::owns(std::string_view kernel_id) const {
  return claim_->judge(*keys_, kernel_id) == kernel::KernelClaim::Verdict::kOwn;
}

std::string KernelAccess::caller() const {
  return std::to_string(sessions_id_) + ' ' + claim_->text();
}

std::optional<Scope> creation_scope(const auth::Principal& who,
                                    const routing::KernelPolicy& policy) {
  using Sharing = routing::KernelPolicy::Sharing;
  switch (policy.sharing) {
    case Sharing::kOwner:
      return user_scope(who);
    case Sharing::kGroup:
      if (!is_member(who, policy.group)) return std::nullopt;
      return Scope{Scope::Kind::kGroup, "", policy.group};
    case Sharing::kEndpoint:
      return Scope{Scope::Kind::kEndpoint, "", ""};
  }
  return std::nullopt;
}

}  // namespace kg::exchange
