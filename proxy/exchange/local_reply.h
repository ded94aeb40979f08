// Answers that the proxy makes itself: errors as gateway clients read them (domain G16), and
// health.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/error.h"
#include "proxy/http/forwarding.h"

namespace kg::exchange {

inline constexpr uint32_t kRetryAfterSeconds = 2;  // of a 429 or 503 that knows no better

struct LocalReply {
  std::string_view request_id;
  bool close = false;           // Connection: close
  bool head_only = false;       // the request was HEAD: no body
  std::string_view allow = {};  // methods for a 405
  uint32_t retry_after_s = kRetryAfterSeconds;
  // What was wrong, for the client too; "" leaves Error::detail, which a 401 and a 403 do not tell.
  std::string_view detail = {};
  http::PageFields page = {};
};

// {"reason": "<phrase>", "message": "<cause> (<detail>). <remedy>", "request_id": "..."} with the
// row's status and the fields that RFC 9110 asks for with it. The row's status must not be 0.
void append_error_reply(const Error& error, const LocalReply& reply, std::string& out);
// What a gateway itself would say, in its form: a 404 for a kernel, whether it is another user's or
// not there (domain R4), a 403 for one too many (domain J13).
void append_gateway_reply(uint16_t status, std::string_view message, const LocalReply& reply,
                          std::string& out);
// What a kernel start came to, from an answer that another request got, or from a list. `location`:
// of a 201.
void append_launch_reply(uint16_t status, std::string_view location, std::string_view body,
                         const LocalReply& reply, std::string& out);
// 200 for a list that was made here; its body follows.
void append_list_head(size_t body_bytes, const LocalReply& reply, std::string& out);
// The body that stands for a gateway's error which is not passed on.
std::string replaced_error(std::string_view reason, std::string_view request_id);
// 200 or 503 for /healthz and /readyz (domain A11, R14).
void append_health_reply(bool ok, std::string_view message, const LocalReply& reply,
                         std::string& out);
// 204: what a page of another origin, which `reply.page` names, may send. `methods`: those of the
// path.
void append_preflight_reply(std::string_view methods, const LocalReply& reply, std::string& out);
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace kg::exchange
