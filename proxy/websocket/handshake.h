// The opening handshake (RFC 6455 section 4), judged from both heads. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace kg::websocket {

// A client's upgrade request: version 13, one well-formed key (16 bytes in base64), HTTP/1.1, no
// body. kUpgradeRequired for another version, kBadRequest for the rest.
Result<void> check_request(const http::RequestHead& head);

// The Sec-WebSocket-Accept value for a key (section 4.2.2).
std::string accept_value(std::string_view key);

// A gateway's 101: accept value matches the key, the subprotocol is one that `offered` lists (or
// none), extensions only if the client offered that name. kUpstreamProtocol otherwise.
Result<void> check_response(const http::ResponseHead& response, const http::RequestHead& request,
                            std::string_view offered);

// Another 101 for a WebSocket that is open already: the accept value matches the new key, the
// subprotocol is again `protocol` ("" for none), and there is no extension. kUpstreamProtocol
// otherwise.
Result<void> check_reconnect(const http::ResponseHead& response, std::string_view key,
                             std::string_view protocol);

// A key for a handshake of our own: 16 random bytes in base64 (section 4.1).
std::string new_key();

// The offered subprotocols of a request, joined by ", ", without credentials
// ("v1.token.websocket.jupyter.org.<token>", domain G27).
std::string offered_protocols(const http::RequestHead& head);

}  // namespace kg::websocket
