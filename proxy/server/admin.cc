#include "proxy/server/admin.h"

#include <optional>

#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::server {
namespace {

using Answer = event::StatusServer::Answer;

Answer json_answer(int status, std::string body) {
  return {status, "application/json", std::move(body) + "\n"};
}

Answer error_answer(int status, std::string_view reason, std::string_view message) {
  std::string body = "{\"reason\":";
  ascii::json_quote(reason, body);
  body += ",\"message\":";
  ascii::json_quote(message, body);
  return json_answer(status, body + "}");
}

Answer no_revocation(const char* fault) {
  return error_answer(400, "Bad Request",
                      std::string("The body ") + fault +
                          ". Send {\"token_id\": ...}, {\"session\": ...}, {\"subject\": ..., "
                          "\"realm\": ...} or {\"endpoint\": ...}.");
}

void append_row(const SessionCounts::value_type& row, std::string& out) {
  const auto& [endpoint, realm, subject] = row.first;
  out += out.back() == '[' ? "{\"endpoint\":" : ",{\"endpoint\":";
  ascii::json_quote(endpoint, out);
  out += ",\"realm\":";
  ascii::json_quote(realm, out);
  out += ",\"subject\":";
  ascii::json_quote(subject, out);
  out += ",\"websockets\":" + std::to_string(row.second.websockets) +
         ",\"expires_at\":" + std::to_string(row.second.expires_at) + "}";
}

}  // namespace

Admin::Admin(event::EventLoop& loop, AdminActions& actions) : actions_(actions), http_(loop) {
  add(Verb::kPost, "/revocations", &Admin::post_revocation);
  add(Verb::kDelete, "/revocations", &Admin::delete_revocation);
  add(Verb::kGet, "/revocations", &Admin::get_revocations);
  add(Verb::kGet, "/sessions", &Admin::get_sessions);
}

void Admin::add(Verb verb, const std::string& path,
                Answer (Admin::*call)(const std::string& body)) {
  http_.add_call(verb, path, [this, call](const Request& request) {
    if (has_token(request.authorization)) return (this->*call)(request.body);
    return error_answer(401, "Unauthorized",
                        "Send Authorization: Bearer and the token of admin.token_file.");
  });
}

bool Admin::has_token(std::string_view authorization) const noexcept {
  constexpr std::string_view kScheme = "bearer ";
  if (token_.empty() || !ascii::starts_with_ignore_case(authorization, kScheme)) return false;
  return crypto::equal_constant_time(ascii::trim(authorization.substr(kScheme.size())),
                                     token_.reveal());
}

Admin::Answer Admin::post_revocation(const std::string& body) {
  const auth::Revocation::Parsed parsed = auth::Revocation::parse(body);
  if (!parsed.revocation) return no_revocation(parsed.fault);
  const std::optional<size_t> ended = actions_.revoke(*parsed.revocation);
  if (!ended) {
    return error_answer(503, "Service Unavailable",
                        "There is no room for more revocations, or a worker did not answer: use "
                        "revocations_file, or look at the log.");
  }
  return json_answer(200, "{\"websockets_ended\":" + std::to_string(*ended) + "}");
}

Admin::Answer Admin::delete_revocation(const std::string& body) {
  const auth::Revocation::Parsed parsed = auth::Revocation::parse(body);
  if (!parsed.revocation) return no_revocation(parsed.fault);
  const size_t taken_back = actions_.unrevoke(*parsed.revocation);
  if (taken_back > 0) {
    return json_answer(200, "{\"taken_back\":" + std::to_string(taken_back) + "}");
  }
  return error_answer(404, "Not Found",
                      "No call of this process made that entry; those of revocations_file are "
                      "taken back there.");
}

Admin::Answer Admin::get_revocations(const std::string& /*body*/) {
  return json_answer(200, "{\"revocations\":" + actions_.revocations_json() + "}");
}

Admin::Answer Admin::get_sessions(const std::string& /*body*/) {
  const std::optional<SessionCounts> counts = actions_.open_sessions();
  if (!counts) return error_answer(503, "Service Unavailable", "A worker did not answer in time.");
  std::string rows = "[";
  size_t listed = 0;
  size_t websockets = 0;
  for (const auto& row : *counts) {
    websockets += row.second.websockets;
    if (listed == limits::kAdminSubjectsMax) continue;
    append_row(row, rows);
    ++listed;
  }
  return json_answer(200, "{\"websockets\":" + std::to_string(websockets) +
                              ",\"left_off\":" + std::to_string(counts->size() - listed) +
                              ",\"sessions\":" + rows + "]}");
}

}  // namespace kg::server
