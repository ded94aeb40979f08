// What the API server is asked about a caller, and what it answers: TokenReview
// (authentication.k8s.io/v1) and SubjectAccessReview (authorization.k8s.io/v1).
//
// Pure; any thread. An answer that is not what the API promises is no answer: nobody is let in by
// something that could not be read.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/secret.h"

namespace kg::issuer {

inline constexpr const char* kTokenReviews = "/apis/authentication.k8s.io/v1/tokenreviews";
inline constexpr const char* kAccessReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
// Of all that is asked for: core's endpoints are another thing.
inline constexpr const char* kApiGroup = "kernelgate.io";

struct Caller {
  std::string name;
  std::string uid;
  std::vector<std::string> groups;
  nlohmann::json extra;  // null, or an object of lists of texts, which goes on as it came
};

// `audiences`: those that the token has to be for, of which one is enough; none: the API server's.
Secret token_review(std::string_view token, const std::vector<std::string>& audiences);
struct TokenVerdict {
  bool is_answer = false;  // else the API server cannot be understood
  std::optional<Caller> caller;
};
TokenVerdict read_token_review(std::string_view answer, const std::vector<std::string>& audiences);

struct Right {
  std::string verb;
  std::string space;
  std::string resource;
  std::string subresource;  // "" if none
  std::string name;

  std::string text() const;  // "impersonate subjects/alice in analytics"
};
std::string access_review(const Caller& caller, const Right& right);
struct AccessVerdict {
  bool is_answer = false;
  bool allowed = false;
};
AccessVerdict read_access_review(std::string_view answer);

}  // namespace kg::issuer
