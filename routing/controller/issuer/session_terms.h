// What session an endpoint lets us issue: its own issuer and audience, so that the proxies take the
// token as they take any other. Claim names are ours alone: one issuer's sessions are read by all.
//
// Pure; any thread. Refused is what the proxies would not accept, with the remedy: by somebody who
// may issue there, so the sentences speak of the endpoint.
#pragma once

#include <cstdint>
#include <string>

#include "auth/session_signer.h"
#include "routing/announced.h"
#include "routing/controller/issuer/request.h"

namespace kg::issuer {

struct Terms {
  uint16_t status = 200;
  std::string message;  // of a refusal
  auth::SessionClaims claims;
};

// `issuer`: our name. The claims are complete but for token_id.
Terms terms_of(const routing::Announced& endpoint, const Wish& wish, const std::string& subject,
               const std::string& issuer, const auth::SessionSigner& signer, int64_t now);

}  // namespace kg::issuer
