// What the gateway is told of who asks, as header fields (`gateway.identity_headers`).
#pragma once

#include <vector>

#include "auth/principal.h"
#include "proxy/http/forwarding.h"
#include "routing/endpoint.h"

namespace kg::exchange {

// One for each configured name, also where the principal has nothing to tell. Values are printable
// ASCII: every other byte, and '%' itself, is percent-encoded (RFC 3986 section 2.1), and ','
// inside a group. `headers` must outlive the result.
std::vector<http::IdentityField> identity_fields(const routing::IdentityHeaders& headers,
                                                 const auth::Principal& principal);

}  // namespace kg::exchange
