#include "proxy/exchange/session_check.h"

#include <string>
#include <string_view>

#include "auth/session_cache.h"
#include "proxy/base/ascii.h"
#include "proxy/base/secret.h"
#include "proxy/kernel/operation.h"

namespace kg::exchange {
namespace {

// "" when there is no Authorization field.
Result<std::string_view> authorization(const http::RequestHead& head) {
  std::string_view found;
  for (const http::Header& field : head.headers) {
    if (!ascii::equals_ignore_case(field.name, "authorization")) continue;
    if (!found.empty()) return Error{ErrorCode::kBadRequest, "two Authorization fields", 0};
    found = field.value.empty() ? std::string_view(" ") : field.value;
  }
  return found;
}

// The credential of "token X" or "Bearer X", "" for any other scheme.
std::string_view credential_of(std::string_view value) {
  for (const std::string_view scheme : {std::string_view("token"), std::string_view("bearer")}) {
    if (value.size() > scheme.size() && value[scheme.size()] == ' ' &&
        ascii::starts_with_ignore_case(value, scheme)) {
      return ascii::trim(value.substr(scheme.size()));
    }
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const auth::Principal>> check_session(const http::RequestHead& head,
                                                             const routing::Endpoint& endpoint,
                                                             auth::SessionCache& cache,
                                                             int64_t now_seconds) {
  const Result<std::string_view> value = authorization(head);
  if (!value) return value.error();
  if (!value->empty()) {
    const std::string_view credential = credential_of(*value);
    if (credential.empty())
      return Error{ErrorCode::kUnauthorized, "not a token or Bearer scheme", 0};
    return cache.verify(*endpoint.sessions, credential, now_seconds);
  }
  const Secret parameter(head.has_query ? kernel::token_parameter(head.query) : std::string());
  if (parameter.empty()) return Error{ErrorCode::kUnauthorized, "no credential", 0};
  return cache.verify(*endpoint.sessions, parameter.reveal(), now_seconds);
}

}  // namespace kg::exchange
