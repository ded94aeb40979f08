// Sessions: whom one endpoint lets in. An ordered chain of authenticators says who it is, the
// policy what that principal may do.
//
// The first link that recognises its credential decides; a credential that no link recognises is
// refused. Without a link, or with an empty policy, nobody gets in.
// Owner:  the route snapshot's endpoint, shared_ptr<const>. Immutable. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "auth/authenticator.h"
#include "auth/policy.h"

namespace kg::auth {

class Sessions {
 public:
  using Chain = std::vector<std::unique_ptr<const Authenticator>>;
  Sessions(Chain chain, Policy policy);

  // What the chain says of one proof, without waiting.
  struct Judged {
    Verdict verdict;
    const Authenticator* link = nullptr;  // who spoke; null when nobody recognised it
    uint64_t generation = 0;  // of link, before it judged: what it judged by is no newer
  };
  Judged judge(Proof proof, const Evidence& evidence, int64_t now) const;

  // The proofs that the chain reads, in its order, each once.
  const std::vector<Proof>& proofs() const noexcept { return proofs_; }
  const Policy& policy() const noexcept { return policy_; }
  // Changes whenever that of a link does: who was recognised has to be judged again.
  uint64_t generation() const noexcept;
  // Never 0; another one for every Sessions of the process. Unlike an address it is not used again,
  // so nothing that was remembered for a dead one answers for a new one.
  uint64_t id() const noexcept { return id_; }

 private:
  Chain chain_;
  std::vector<Proof> proofs_;
  Policy policy_;
  uint64_t id_;
};

using SessionsRef = std::shared_ptr<const Sessions>;

}  // namespace kg::auth
