#include "proxy/server/admin.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/event/event_loop.h"

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

Answer not_ours() {
  return error_answer(403, "Forbidden",
                      "This proxy's key of the feed does not speak for that scope: call a proxy "
                      "whose key does.");
}

// What a call has done here, and how far it was told.
Answer done_answer(std::string_view name, size_t count, const Told& told) {
  std::string body = "{\"applied\":true,\"" + std::string(name) + "\":" + std::to_string(count);
  switch (told.how) {
    case Told::How::kAll:
      body += ",\"told\":\"all\"";
      break;
    case Told::How::kScope:
      body += ",\"told\":\"scope\",\"scopes\":[";
      for (const std::string& scope : told.scopes) {
        if (body.back() != '[') body += ',';
        ascii::json_quote(scope, body);
      }
      body += ']';
      break;
    case Told::How::kNobody:
      body +=
          ",\"told\":\"nobody\",\"message\":\"It counts at this proxy alone: no controller of "
          "its feed answers, or it has none. Controllers are told once they answer; without a "
          "feed, call every proxy.\"";
      break;
  }
  return json_answer(200, body + "}");
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

// Seconds since the epoch of a monotonic time; null if it never was.
void append_time(std::string_view name, uint64_t then_us, std::string& out) {
  out += ",\"" + std::string(name) + "\":";
  const uint64_t ago_us = event::monotonic_us() - then_us;
  out += then_us == 0 ? "null" : std::to_string((event::wall_us() - ago_us) / 1'000'000);
}

void append_kernel(const exchange::KernelSight& kernel, size_t worker, std::string& out) {
  static constexpr const char* kStates[] = {"unknown", "busy", "idle"};
  static_assert(std::size(kStates) == metrics::kKernelStates);
  out += out.back() == '[' ? "{\"kernel_id\":" : ",{\"kernel_id\":";
  ascii::json_quote(kernel.kernel_id, out);
  out += ",\"endpoint\":";
  ascii::json_quote(kernel.endpoint, out);
  out += ",\"worker\":" + std::to_string(worker) + ",\"state\":\"" +
         kStates[static_cast<size_t>(kernel.state)] + "\"";
  append_time("last_human_activity", kernel.last_human_us, out);
  append_time("last_message", kernel.last_message_us, out);
  out += ",\"cells_in_flight\":" + std::to_string(kernel.cells_in_flight) + "}";
}

Answer no_pod() {
  return error_answer(404, "Not Found",
                      "No such pod: GET /pods lists them. Calls are GET /pods/ENDPOINT/POD, and "
                      "POST with /cordon or /uncordon after it.");
}

// "ENDPOINT/POD"; nothing for anything else.
std::optional<PodName> pod_name(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view pod = text.substr(slash + 1);
  if (pod.find('/') != std::string_view::npos) return std::nullopt;
  return PodName(text.substr(0, slash), pod);
}

}  // namespace

Admin::Admin(event::EventLoop& loop, AdminActions& actions, PodActions& pods, FeedActions& feed)
    : actions_(actions), pods_(pods), feed_(feed), http_(loop) {
  add(Verb::kPost, "/revocations", &Admin::post_revocation);
  add(Verb::kDelete, "/revocations", &Admin::delete_revocation);
  add(Verb::kGet, "/revocations", &Admin::get_revocations);
  add(Verb::kGet, "/sessions", &Admin::get_sessions);
  add(Verb::kGet, "/kernels", &Admin::get_kernels);
  add(Verb::kGet, "/pods", &Admin::get_pods);
  add(Verb::kGet, "/pods/", &Admin::get_pod);
  add(Verb::kPost, "/pods/", &Admin::post_pod);
  add(Verb::kPost, "/feed/reset", &Admin::post_feed_reset);
}

void Admin::add(Verb verb, const std::string& path, Answer (Admin::*call)(const Request& request)) {
  http_.add_call(verb, path, [this, call](const Request& request) {
    if (has_token(request.authorization)) return (this->*call)(request);
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

Admin::Answer Admin::post_revocation(const Request& request) {
  const auth::Revocation::Parsed parsed = auth::Revocation::parse(request.body);
  if (!parsed.revocation) return no_revocation(parsed.fault);
  const Revoked revoked = actions_.revoke(*parsed.revocation);
  switch (revoked.outcome) {
    case Revoked::Outcome::kDone:
      return done_answer("websockets_ended", revoked.websockets_ended, revoked.told);
    case Revoked::Outcome::kNotOurs:
      return not_ours();
    case Revoked::Outcome::kNoRoom:
    case Revoked::Outcome::kNoAnswer:
      break;
  }
  return error_answer(503, "Service Unavailable",
                      "There is no room for more revocations, or a worker did not answer: use "
                      "revocations_file, or look at the log.");
}

Admin::Answer Admin::delete_revocation(const Request& request) {
  const auth::Revocation::Parsed parsed = auth::Revocation::parse(request.body);
  if (!parsed.revocation) return no_revocation(parsed.fault);
  const TakenBack taken = actions_.unrevoke(*parsed.revocation);
  switch (taken.outcome) {
    case TakenBack::Outcome::kDone:
      return done_answer("taken_back", taken.entries, taken.told);
    case TakenBack::Outcome::kNotOurs:
      return not_ours();
    case TakenBack::Outcome::kUnheard:
      return error_answer(503, "Service Unavailable",
                          "The feed announced that entry, and no controller answers who could take "
                          "it back: it counts on. Try again when one does.");
    case TakenBack::Outcome::kUnknown:
      break;
  }
  return error_answer(404, "Not Found",
                      "No call made that entry, here or at another replica; those of "
                      "revocations_file are taken back there.");
}

Admin::Answer Admin::get_revocations(const Request& /*request*/) {
  return json_answer(200, "{\"revocations\":" + actions_.revocations_json() + "}");
}

Admin::Answer Admin::get_sessions(const Request& /*request*/) {
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

Admin::Answer Admin::get_kernels(const Request& /*request*/) {
  const std::optional<KernelSights> kernels = actions_.open_kernels();
  if (!kernels) return error_answer(503, "Service Unavailable", "A worker did not answer in time.");
  std::string rows = "[";
  size_t known = 0;
  size_t listed = 0;
  for (const auto& [worker, part] : *kernels) {
    known += part.size();
    for (const exchange::KernelSight& kernel : part) {
      if (listed == limits::kAdminKernelsMax) break;
      append_kernel(kernel, worker, rows);
      ++listed;
    }
  }
  return json_answer(200, "{\"websockets\":" + std::to_string(known) + ",\"left_off\":" +
                              std::to_string(known - listed) + ",\"kernels\":" + rows + "]}");
}

Admin::Answer Admin::get_pods(const Request& /*request*/) {
  const std::vector<PodReport> pods = pods_.pods();
  std::string rows = "[";
  for (size_t i = 0; i < pods.size() && i < limits::kAdminPodsMax; ++i) {
    if (i > 0) rows += ',';
    rows += pods[i].json();
  }
  const size_t left_off = pods.size() - std::min(pods.size(), limits::kAdminPodsMax);
  return json_answer(200, "{\"left_off\":" + std::to_string(left_off) + ",\"pods\":" + rows + "]}");
}

Admin::Answer Admin::get_pod(const Request& request) {
  const std::optional<PodName> name = pod_name(request.below);
  const std::optional<PodReport> pod = name ? pods_.pod(*name) : std::nullopt;
  return pod ? json_answer(200, pod->json()) : no_pod();
}

Admin::Answer Admin::post_pod(const Request& request) {
  const std::string_view path = request.below;
  const size_t slash = std::min(path.rfind('/'), path.size());
  const std::string_view verb = path.substr(slash);
  const std::optional<PodName> name = pod_name(path.substr(0, slash));
  if (!name || (verb != "/cordon" && verb != "/uncordon")) return no_pod();
  const std::optional<PodReport> before = pods_.pod(*name);
  const PodActions::Outcome outcome =
      verb == "/cordon" ? pods_.cordon(*name) : pods_.uncordon(*name);
  if (outcome == PodActions::Outcome::kUnknown || !before) return no_pod();
  if (outcome == PodActions::Outcome::kNoRoom) {
    return error_answer(503, "Service Unavailable",
                        "Too many pods are closed for new kernels: GET /pods lists them, also "
                        "those that are not configured any more.");
  }
  PodReport now = pods_.pod(*name).value_or(*before);
  now.cordoned = verb == "/cordon";
  return json_answer(200, now.json());
}

Admin::Answer Admin::post_feed_reset(const Request& /*request*/) {
  const std::optional<std::string> done = feed_.reset_feed();
  if (done) return json_answer(200, *done);
  return error_answer(409, "Conflict",
                      "This proxy follows no controllers: feed is not configured.");
}

}  // namespace kg::server
