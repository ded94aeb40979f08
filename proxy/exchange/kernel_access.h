// KernelAccess: which kernels a caller may use, judged from their ids alone. A connection keeps
// one, so that a client that asks for its kernels again and again is not judged again and again.
//
// Owner:  the ClientConnection. Thread: the worker's.
// Limits: remembers one principal at one endpoint, and one id.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/principal.h"
#include "proxy/kernel/kernel_id.h"
#include "routing/endpoint.h"

namespace kg::exchange {

class KernelAccess {
 public:
  enum class Answer : uint8_t {
    kAllowed,
    kOthers,   // somebody else's
    kForeign,  // not minted here, and the endpoint does not let such ids pass
  };

  // Who asks, before may_use().
  void is_for(const std::shared_ptr<const kernel::KernelIdKeys>& keys,
              const routing::Endpoint& endpoint, const auth::PrincipalRef& who);
  Answer may_use(std::string_view kernel_id);
  // Whether it was minted here, whoever's it is: then it names its pod.
  bool is_minted(std::string_view kernel_id);
  // Whether its tags make it one of the caller's: not what the endpoint lets pass besides.
  bool owns(std::string_view kernel_id) const;
  // What the answers depend on, beside the id: the keys, and all else as a text.
  const std::shared_ptr<const kernel::KernelIdKeys>& keys() const noexcept { return keys_; }
  std::string caller() const;

 private:
  std::shared_ptr<const kernel::KernelIdKeys> keys_;
  auth::PrincipalRef who_;
  uint64_t sessions_id_ = 0;  // tells endpoints apart, and what they were before a reload
  bool foreign_ids_ = false;
  std::optional<kernel::KernelClaim> claim_;
  std::string last_id_;
  Answer last_answer_ = Answer::kForeign;
  bool last_minted_ = false;
};

// The scope of a kernel that `who` creates now; nullopt where only members of a group may.
std::optional<kernel::Scope> creation_scope(const auth::Principal& who,
                                            const routing::KernelPolicy& policy);

}  // namespace kg::exchange
