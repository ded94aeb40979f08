// Introspection: an authorization server tells whether a token is active and whose it is
// (RFC 7662). The token goes up in a form, with the client credentials that the server gave us.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "auth/claims.h"
#include "auth/remote_judge.h"

namespace kg::auth {

struct IntrospectionRules {
  std::string realm;
  ClaimNames names;      // without a `sub`: username
  std::string issuer;    // iss must equal it, "": not looked at
  std::string audience;  // aud must equal or contain it, "": not looked at
  std::string scope;     // must be among the token's scopes, "": not looked at
};

struct IntrospectionOptions {
  IntrospectionRules rules;
  Url url;
  std::shared_ptr<const fetch::Trust> trust;
  std::string client_id;
  Secret client_secret;
  uint32_t deadline_ms = limits::kFetchMs;

  std::string identity() const;  // equal for equal options
};

// What a 200's body means. kSessionUnknown for one that is no answer to the question (section 2.2);
// kUnauthorized for an inactive token, or another's; kForbidden without the scope.
Verdict read_introspection(std::string_view body, const IntrospectionRules& rules, int64_t now);

class Introspection final : public Question {
 public:
  explicit Introspection(IntrospectionOptions options);
  fetch::Request request(const Secret& token) const override;
  Verdict read(const fetch::Answer& answer, const Secret& token, int64_t now) const override;

 private:
  IntrospectionOptions options_;
  Secret authorization_;  // RFC 6749 section 2.3.1
};

}  // namespace kg::auth
