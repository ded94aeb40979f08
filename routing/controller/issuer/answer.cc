#include "routing/controller/issuer/answer.h"

#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/base/error.h"

namespace kg::issuer {
namespace {

constexpr uint16_t kConflict = 409;  // no answer of the proxy's

std::string_view phrase_of(uint16_t status) noexcept {
  return status == kConflict ? "Conflict" : reason_phrase(status);
}

void add_field(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Answer refusal(uint16_t status, std::string_view message, uint32_t retry_after_s) {
  std::string body = "{\"reason\":";
  ascii::json_quote(phrase_of(status), body);
  body += ",\"message\":";
  ascii::json_quote(message, body);
  body += "}\n";
  Answer answer;
  answer.status = status;
  answer.body = Secret(std::move(body));
  answer.retry_after_s = retry_after_s;
  return answer;
}

Secret message_of(const Answer& answer, bool head_only) {
  const std::string_view body = answer.body.reveal();
  std::string out;
  out.reserve(body.size() + 512);  // grows no more, so that no copy of a token stays behind
  out += "HTTP/1.1 " + std::to_string(answer.status) + ' ';
  out.append(phrase_of(answer.status)).append("\r\n");
  add_field("Content-Type", "application/json", out);
  add_field("Content-Length", std::to_string(body.size()), out);
  add_field("Cache-Control", answer.cache, out);
  add_field("X-Content-Type-Options", "nosniff", out);
  add_field("Connection", "close", out);
  if (answer.status == 401) add_field("WWW-Authenticate", "Bearer", out);
  if (!answer.allow.empty()) add_field("Allow", answer.allow, out);
  if (answer.retry_after_s > 0) {
    add_field("Retry-After", std::to_string(answer.retry_after_s), out);
  }
  out += "\r\n";
  if (!head_only) out += body;
  return Secret(std::move(out));
}

}  // namespace kg::issuer
