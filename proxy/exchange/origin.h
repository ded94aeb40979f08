// Whose page sent a request: the browser's Origin against the host that it came to and the origins
// that the endpoint lists.
//
// It matters where the browser adds the credential by itself (is_ambient() of a CredentialPlace):
// there any page on the web can send requests in the user's name. An origin is compared as browsers
// write it (RFC 6454 section 6.1: "https://host[:port]" in lower case, without the default port);
// what is written otherwise, "null" and two Origin fields are foreign. The port counts: another
// service of the same machine is another origin. Of a host without a port it is 443, and an ALB
// with a port of its own appends that to Host (domain A24), as browsers write it into both.
// Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/message.h"

namespace kg::exchange {

// What an endpoint lists: origins as is_origin() takes them.
using AllowedOrigins = std::vector<std::string>;

enum class PageOrigin : uint8_t {
  kNone,     // no page of a browser says that it sent this
  kOwn,      // the host itself
  kListed,   // another that the endpoint lists
  kForeign,  // any other
};

// Without an Origin, Sec-Fetch-Site tells whether a page of another site sent the request.
PageOrigin page_origin(const http::RequestHead& head, const AllowedOrigins& allowed);

// Whether the request does something, so that a foreign page may not send it in the user's name: a
// WebSocket, and every method but GET, HEAD and OPTIONS. What the others answer stays unread, since
// no Access-Control field is sent to a foreign page.
bool acts(const http::RequestHead& head) noexcept;

// A browser asks in advance whether a page of another origin may send a request (Fetch, "CORS
// protocol"). It carries no credential.
bool is_preflight(const http::RequestHead& head) noexcept;

}  // namespace kg::exchange
