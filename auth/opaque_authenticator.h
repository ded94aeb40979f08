// OpaqueAuthenticator: sessions whose tokens stand in a file (auth/opaque_tokens.h).
//
// Recognises tokens of the file, be they over (kSessionExpired) or not; any other may be the next
// link's. A line that is removed or changed ends what was verified by it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "auth/authenticator.h"
#include "auth/session_file.h"

namespace kg::auth {

class OpaqueAuthenticator final : public Authenticator {
 public:
  OpaqueAuthenticator(std::string realm, std::shared_ptr<const OpaqueFile> file);

  Proof proof() const noexcept override { return Proof::kToken; }
  Verdict judge(const Evidence& evidence, int64_t now) const override;
  uint64_t generation() const noexcept override { return file_->generation(); }

 private:
  std::string realm_;
  std::shared_ptr<const OpaqueFile> file_;
};

}  // namespace kg::auth
