// What a head becomes on the next hop (RFC 9110 section 7.6): the one place that decides which
// fields cross the proxy. Pure functions; they append to `out`.
//
// Requests, towards the gateway:
//   dropped: Connection and every field it names (never the ones that we add), Keep-Alive, Proxy-*,
//     TE, Trailer, Transfer-Encoding, Upgrade, HTTP2-Settings, Expect, Content-Length, Forwarded,
//     Max-Forwards (of OPTIONS it goes on, less one: RFC 9110 section 7.6.2),
//     every credential (Authorization, Cookie, a Referer with a query, which may hold a token:
//     domain J6, R12), what names a user to those behind a proxy (identity fields of IdentityField,
//     X-Amzn-Oidc-* and X-Amzn-Mtls-*, A18; Remote-*, X-Remote-*, X-Auth-Request-*),
//     X-Forwarded-*, X-Real-Ip, X-Request-Id, Origin (judged here, and a gateway compares it with
//     Host) and Access-Control-Request-*, names with characters outside [-A-Za-z0-9] (A17:
//     underscore forms smuggle names), and Sec-WebSocket-*, which cross for WebSockets only, and
//     there without Sec-WebSocket-Protocol: it may hold a credential (G27) and is made anew.
//     Accept-Encoding crosses only if any coding of the answer will do.
//     If-* and Range cross only if the answer does not have to be the whole one.
//   kept: Host unchanged, now the first field; everything else in order.
//   added: framing, Via (RFC 9110 section 7.6.3), Authorization: token <gateway token>,
//   X-Request-Id, identity fields, X-Forwarded-For, -Proto,
//     -Port, -Host (A15: from a trusted proxy the received X-Forwarded-For is kept and the peer
//     appended, and the last -Proto, -Port and -Host are kept; else they are made anew),
//     X-Amzn-Trace-Id (A16: kept if well-formed, else made).
// Responses, towards the client:
//   dropped: hop-by-hop as above, Server (kept out of the tenant's sight), X-Request-Id, Alt-Svc,
//     Content-Length and Transfer-Encoding (re-made by framing), Set-Cookie (no cookie ever goes
//     back up, and it might replace the host's session cookie), Access-Control-* (who may read an
//     answer is the endpoint's allowed_origins).
//   Location of the gateway regains the endpoint's prefix when the prefix was stripped.
//   added: framing, Connection, X-Request-Id, Date if there is none (RFC 9110 section 6.6.1).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/http/message.h"

namespace kg::http {

// Tells the gateway who asks. A client's field of that name never crosses, in any letter case; one
// without a value only says that.
struct IdentityField {
  std::string_view name;
  std::string value;
};

struct RequestRewrite {
  std::string_view method;         // "": the request's own
  std::string_view target;         // regenerated origin form
  std::string_view host;           // Host value to send
  std::string_view gateway_token;  // "" sends no Authorization
  std::string_view request_id;
  std::string_view trace_id;      // whole X-Amzn-Trace-Id value
  std::string_view peer_address;  // without port
  std::string_view scheme;        // https or http, of the listener
  uint16_t port = 0;              // of the listener
  bool peer_trusted = false;
  Framing framing = Framing::kNone;
  uint64_t content_length = 0;  // for kLength
  bool whole_answer = false;    // no If-* and no Range: the answer will be reduced here
  bool plain_answer = false;    // the answer may have to be read here: no Accept-Encoding
  bool json_body = false;       // sets Content-Type: application/json in place of the client's
  bool websocket = false;       // Connection: Upgrade, Upgrade: websocket
  std::string_view websocket_protocols;  // offered subprotocols to send, "" for none
  // Of a handshake of our own, with no extension; "": the client's key and extensions cross.
  std::string_view websocket_key;
  std::span<const IdentityField> identity;
};
void append_upstream_request(const RequestHead& head, const RequestRewrite& rewrite,
                             std::string& out);

// What an answer says to the page that asked (Fetch, "CORS protocol").
struct PageFields {
  std::string_view origin;  // of a page that may read the answer; "" for none but the host's own
  bool vary = false;        // the endpoint lists origins, so answers differ by it
};
void append_page_fields(const PageFields& page, std::string& out);

struct ResponseRewrite {
  std::string_view request_id;
  std::string_view location_prefix;  // "" or "/abc": put before an absolute-path Location
  Framing framing = Framing::kNone;  // towards the client; kUntilClose needs close = true
  uint64_t content_length = 0;
  // false: HEAD, 204, 304: a gateway's Content-Length is kept as it is, but for a 204, which must
  // not have one (RFC 9110 section 8.6). With true, kNone says Content-Length: 0.
  bool body_allowed = true;
  bool close = false;
  uint64_t now_seconds = 0;      // for a Date where the gateway gave none; 0 adds none
  bool client_http_1_0 = false;  // answers name HTTP/1.1 all the same; keep-alive is said aloud
  PageFields page;
  std::string_view websocket_protocol;  // selected here because the gateway selected none
};
void append_client_response(const ResponseHead& head, const ResponseRewrite& rewrite,
                            std::string& out);

// The head of an error whose body is made anew, as JSON: without what described the old one, and
// without Content-Length and the empty line, which the caller adds. Of `rewrite` counts what is
// said of the connection.
void append_client_error(const ResponseHead& head, const ResponseRewrite& rewrite,
                         std::string& out);

// An interim response other than 100 and 101 (RFC 9110 section 15.2).
void append_client_interim(const ResponseHead& head, std::string& out);

// Whether the body comes in a content coding (RFC 9110 section 8.4.1).
bool is_coded(const ResponseHead& head) noexcept;

// Whether a body comes as a form, as gateways tell: they look for a token in it (domain J6).
bool has_form_body(const RequestHead& head) noexcept;

// IMF-fixdate (RFC 9110 section 5.6.7) of seconds since the epoch.
std::string http_date(uint64_t seconds);

// The request's X-Amzn-Trace-Id if well-formed, else a new "Root=1-<8 hex>-<24 hex>" (domain A16).
std::string trace_id_for(const RequestHead& head, uint64_t now_seconds);

// The address that an ALB saw: right-most element of X-Forwarded-For, "" if absent or malformed.
std::string_view forwarded_client(const RequestHead& head) noexcept;

}  // namespace kg::http
