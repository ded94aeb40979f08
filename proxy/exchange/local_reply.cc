#include "proxy/exchange/local_reply.h"

#include <fmt/format.h>

#include <iterator>

#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/event/event_loop.h"

namespace kg::exchange {
namespace {

// Fields that a status asks for: 401 (RFC 9110 11.6.1), 426 (15.5.22), 429 and 503 (10.2.3).
std::string status_fields(uint16_t status, uint32_t retry_after_s) {
  switch (status) {
    case 401:
      return "WWW-Authenticate: Bearer realm=\"kernelgate\"\r\n";
    case 426:
      return "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    case 429:
    case 503:
      return fmt::format("Retry-After: {}\r\n", retry_after_s);
    default:
      return "";
  }
}

void append_head(uint16_t status, size_t body_bytes, const LocalReply& reply, std::string& out,
                 std::string_view location = {}) {
  std::string page;
  http::append_page_fields(reply.page, page);
  std::string_view connection = reply.close ? "close" : "keep-alive";
  if (status == 426) connection = reply.close ? "close, Upgrade" : "Upgrade";
  fmt::format_to(
      std::back_inserter(out),
      "HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
      "X-Request-Id: {}\r\n{}{}{}{}{}{}{}{}Connection: {}\r\n\r\n",
      status, reason_phrase(status), http::http_date(event::wall_us() / 1'000'000), body_bytes,
      reply.request_id, page, status_fields(status, reply.retry_after_s),
      reply.allow.empty() ? "" : "Allow: ", reply.allow, reply.allow.empty() ? "" : "\r\n",
      location.empty() ? "" : "Location: ", location, location.empty() ? "" : "\r\n", connection);
}

void append_reply(uint16_t status, std::string_view body, const LocalReply& reply, std::string& out,
                  std::string_view location = {}) {
  append_head(status, body.size(), reply, out, location);
  if (!reply.head_only) out.append(body);
}

// {"reason": ..., "message": ..., "request_id": ...}
std::string error_body(std::string_view reason, std::string_view message,
                       std::string_view request_id) {
  std::string body = "{\"reason\":";
  ascii::json_quote(reason, body);
  body.append(",\"message\":");
  ascii::json_quote(message, body);
  body.append(",\"request_id\":");
  ascii::json_quote(request_id, body);
  body.append("}\n");
  return body;
}

}  // namespace

void append_error_reply(const Error& error, const LocalReply& reply, std::string& out) {
  const ErrorRow& row = error.row();
  KG_ASSERT(row.status != 0);
  std::string message(row.cause);
  // Which check of a session failed is for the operator's log, not for who tries.
  const bool telling = row.status != 401 && row.status != 403 && row.side != Side::kInternal;
  std::string_view detail = reply.detail;
  if (detail.empty() && telling) detail = error.detail;
  if (!detail.empty()) {
    message.pop_back();  // the full stop
    message.append(" (").append(detail).append(").");
  }
  message.append(" ").append(row.remedy);
  append_reply(row.status, error_body(reason_phrase(row.status), message, reply.request_id), reply,
               out);
}

void append_gateway_reply(uint16_t status, std::string_view message, const LocalReply& reply,
                          std::string& out) {
  std::string body = "{\"reason\":";
  ascii::json_quote(reason_phrase(status), body);
  body.append(",\"message\":");
  ascii::json_quote(message, body);
  append_reply(status, body.append("}\n"), reply, out);
}

void append_launch_reply(uint16_t status, std::string_view location, std::string_view body,
                         const LocalReply& reply, std::string& out) {
  append_reply(status, body, reply, out, location);
}

void append_list_head(size_t body_bytes, const LocalReply& reply, std::string& out) {
  append_head(200, body_bytes, reply, out);
}

std::string replaced_error(std::string_view reason, std::string_view request_id) {
  return error_body(reason,
                    "The gateway answered with an error in a form that is not passed on. Look up "
                    "the request id in the gateway's log.",
                    request_id);
}

void append_preflight_reply(std::string_view methods, const LocalReply& reply, std::string& out) {
  // Longer than a user looks at one notebook, shorter than Chrome's own bound of two hours.
  constexpr int kMaxAgeSeconds = 600;
  std::string page;
  http::append_page_fields(reply.page, page);
  fmt::format_to(std::back_inserter(out),
                 "HTTP/1.1 204 No Content\r\nDate: {}\r\nX-Request-Id: {}\r\n{}"
                 "Access-Control-Allow-Methods: {}\r\n"
                 "Access-Control-Allow-Headers: Authorization, Content-Type, X-XSRFToken\r\n"
                 "Access-Control-Max-Age: {}\r\nConnection: {}\r\n\r\n",
                 http::http_date(event::wall_us() / 1'000'000), reply.request_id, page, methods,
                 kMaxAgeSeconds, reply.close ? "close" : "keep-alive");
}

void append_health_reply(bool ok, std::string_view message, const LocalReply& reply,
                         std::string& out) {
  std::string body =
      ok ? "{\"status\":\"ok\",\"message\":" : "{\"reason\":\"Service Unavailable\",\"message\":";
  ascii::json_quote(message, body);
  body.append("}\n");
  append_reply(ok ? 200 : 503, body, reply, out);
}

}  // namespace kg::exchange
