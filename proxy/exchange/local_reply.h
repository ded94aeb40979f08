// Answers that the proxy makes itself: errors as gateway clients read them (domain G16), and
// health.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/error.h"

namespace kg::exchange {

struct LocalReply {
  std::string_view request_id;
  bool close = false;           // Connection: close
  bool head_only = false;       // the request was HEAD: no body
  std::string_view allow = {};  // methods for a 405
};

// {"reason": "<phrase>", "message": "<cause> (<detail>). <remedy>", "request_id": "..."} with the
// row's status and the fields that RFC 9110 asks for with it. The row's status must not be 0.
void append_error_reply(const Error& error, const LocalReply& reply, std::string& out);
// The body that stands for a gateway's error which is not passed on.
std::string replaced_error(std::string_view reason, std::string_view request_id);
// 200 or 503 for /healthz and /readyz (domain A11, R14).
void append_health_reply(bool ok, std::string_view message, const LocalReply& reply,
                         std::string& out);
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace kg::exchange
