// Principal: who a session belongs to, as verified. A value; immutable once verified.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kg::auth {

struct Principal {
  std::string realm;  // of the authenticator: equal subjects of two issuers are two people
  std::string subject;
  std::vector<std::string> groups;
  std::string endpoint;     // the endpoint that the token names, "" if none
  std::string role;         // execution role ARN of the session (domain E14), "" if none
  std::string log_context;  // domain E15, "" if none
  std::string token_id;     // jti, "" if none
  int64_t expires_at = 0;   // seconds since the epoch
};

}  // namespace kg::auth
