#include "auth/opaque_authenticator.h"

#include <utility>

#include "proxy/base/assert.h"

namespace kg::auth {

OpaqueAuthenticator::OpaqueAuthenticator(std::string realm, std::shared_ptr<const OpaqueFile> file)
    : realm_(std::move(realm)), file_(std::move(file)) {
  KG_ASSERT(file_ != nullptr && file_->contents() != nullptr);
}

Verdict OpaqueAuthenticator::judge(const Evidence& evidence, int64_t now) const {
  const std::shared_ptr<const OpaqueTokens> tokens = file_->contents();
  const Principal* known = tokens->find(evidence.token);
  if (known == nullptr) return Verdict::not_mine("token has no line in the file");
  if (now >= known->expires_at) {
    return Verdict::refuses({ErrorCode::kSessionExpired, "the token's line has expired", 0});
  }
  Principal principal = *known;
  principal.realm = realm_;
  return Verdict::accepts(std::move(principal));
}

}  // namespace kg::auth
