// Field names that this proxy knows, recognised without comparing a name with each of them: the
// first letter and the length leave one candidate. Private to proxy/http.
#pragma once

#include <cstdint>
#include <string_view>

namespace kg::http {

enum class FieldName : uint8_t {
  kUnknown,
  kAcceptEncoding,
  kAccessControl,  // Access-Control-*
  kAltSvc,
  kAuthorization,
  kConnection,
  kContentLength,
  kContentType,
  kCookie,
  kDate,
  kExpect,
  kForwarded,
  kHost,
  kHttp2Settings,
  kIdentity,  // X-Amzn-Oidc-*, X-Amzn-Mtls-*, Remote-*, X-Remote-*, X-Auth-Request-*
  kKeepAlive,
  kLocation,
  kMaxForwards,
  kOrigin,
  kProxy,  // Proxy-*
  kReferer,
  kSecWebSocket,  // Sec-WebSocket-*, but for the next
  kSecWebSocketProtocol,
  kServer,
  kSetCookie,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kXAmznTraceId,
  kXForwarded,  // X-Forwarded-*, but for the next four
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedPort,
  kXForwardedProto,
  kXRealIp,
  kXRequestId,
};

FieldName field_name(std::string_view name) noexcept;

// Whether all characters are token characters (RFC 9110 section 5.6.2); "" is none.
bool is_token(std::string_view text) noexcept;
bool is_token_char(char c) noexcept;

}  // namespace kg::http
