// Who sends a request, and may they: credential out of the head, verified for the endpoint.
#pragma once

#include <memory>

#include "auth/principal.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"
#include "routing/endpoint.h"

namespace kg::auth {
class SessionCache;
}

namespace kg::exchange {

// Authorization: token|Bearer (any letter case, domain G9, G10) before ?token=. kUnauthorized
// without either or with another scheme; two Authorization fields are kBadRequest.
Result<std::shared_ptr<const auth::Principal>> check_session(const http::RequestHead& head,
                                                             const routing::Endpoint& endpoint,
                                                             auth::SessionCache& cache,
                                                             int64_t now_seconds);

}  // namespace kg::exchange
