// What a caller asks for: the path and the body of
// `POST /virtualclusters/{vc}/endpoints/{id}/credentials` (domain E14), read strictly.
//
// Values; any thread. Everything is hostile. Limits: limits.h. Errors: a sentence that repeats
// nothing of what was sent but names of members that are known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/controller/issuer/limits.h"

namespace kg::issuer {

struct Target {
  std::string space;     // the virtual cluster: a namespace, RFC 1123 label
  std::string endpoint;  // 1 to 64 of a-z and 0-9
};
// nullopt: another path, or names that nothing can have. Nothing is percent-decoded.
std::optional<Target> read_target(std::string_view path);

struct Wish {
  uint32_t seconds = kSecondsDefault;
  std::string role;                 // "" if none was named
  std::string log_context;          // E15
  std::string client_token;         // the caller's own name of this call
  std::string subject;              // whose session it is to be, "": the caller's
  std::vector<std::string> groups;  // in order, each once
};
struct ReadWish {
  std::optional<Wish> wish;
  std::string problem;
};
ReadWish read_wish(std::string_view body);

// Whether proxies would take it as the subject of a session, or as a group (auth/claims.h).
bool is_claim_text(std::string_view text) noexcept;

// The token of an Authorization field, "" if it holds none that could be one: scheme Bearer in any
// case of letters (RFC 9110 section 11.1), and the alphabet of RFC 6750 section 2.1.
std::string_view bearer_of(std::string_view authorization);

}  // namespace kg::issuer
