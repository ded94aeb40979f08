// A session token that a browser's script offers as a WebSocket subprotocol, because it can set
// no header (domain G27):
//
//   Sec-WebSocket-Protocol: v1.token.websocket.jupyter.org,
//                           v1.token.websocket.jupyter.org.<percent-encoded token>
//
// The element with the token never goes upstream. The bare name does, as every other offer; it
// carries no secret and says nothing of the framing. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/secret.h"
#include "proxy/http/message.h"

namespace kg::websocket {

inline constexpr std::string_view kTokenProtocol = "v1.token.websocket.jupyter.org";

// "v1.token.websocket.jupyter.org." in any case of letters: what nobody would take for a credential
// must not leak either.
bool is_token_offer(std::string_view element) noexcept;

// The token that a request offers, empty if it offers none. Case counts in the name. kUnauthorized
// if it does not decode (RFC 3986 section 2.1: each '%' begins a triplet) or is empty, kBadRequest
// for two that differ.
Result<Secret> offered_token(const http::RequestHead& request);

// The subprotocol that the proxy selects towards the client where the gateway selected none: the
// bare name, if it was offered together with a token. Browsers fail a handshake that selects none
// of their offers (domain G26, G27). "" otherwise: nothing is added.
std::string_view selected_for_token(const http::ResponseHead& response,
                                    const http::RequestHead& request);

}  // namespace kg::websocket
