// Principal: who a session belongs to, as verified. A value; immutable once verified.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kg::auth {

// What a request may show of its sender.
enum class Proof : uint8_t { kToken, kLoadBalancer, kCertificate };
inline constexpr size_t kProofCount = 3;

struct Principal {
  std::string realm;  // of the authenticator: equal subjects of two issuers are two people
  std::string subject;
  std::vector<std::string> groups;
  std::string endpoint;         // the endpoint that the token names, "" if none
  std::string virtual_cluster;  // of that endpoint, "" if the token does not say
  std::string role;             // execution role ARN of the session (domain E14), "" if none
  std::string log_context;      // domain E15, "" if none
  std::string token_id;         // jti, "" if none
  std::string session_id;       // sid, "" if none
  // Claims that the endpoint's policy asks for, as text.
  std::vector<std::pair<std::string, std::string>> claims;
  int64_t issued_at = 0;   // seconds since the epoch, 0: not known
  int64_t expires_at = 0;  // seconds since the epoch: the session ends
  // Seconds since the epoch, 0: never. Where somebody else decides (introspection, a gateway): the
  // session may go on, but has to be asked for again.
  int64_t believed_until = 0;
  Proof proof = Proof::kToken;  // what it was recognised by
};

using PrincipalRef = std::shared_ptr<const Principal>;

}  // namespace kg::auth
