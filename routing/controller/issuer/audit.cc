#include "routing/controller/issuer/audit.h"

#include <array>
#include <ctime>

#include "proxy/base/ascii.h"

namespace kg::issuer {
namespace {

void add_member(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out += out.size() > 1 ? "," : "";
  ascii::json_quote(name, out);
  out += ':';
  ascii::json_quote(value, out);
}

void add_session(const auth::SessionClaims& session, std::string& out) {
  add_member("id", session.token_id, out);
  add_member("role", session.role, out);
  add_member("log_context", session.log_context, out);
  if (!session.groups.empty()) {
    out += ",\"groups\":[";
    for (size_t i = 0; i < session.groups.size(); ++i) {
      out += i > 0 ? "," : "";
      ascii::json_quote(session.groups[i], out);
    }
    out += ']';
  }
  out += ",\"seconds\":" + std::to_string(session.lifetime_seconds);
  add_member("expires", iso_time(session.issued_at + session.lifetime_seconds), out);
}

}  // namespace

std::string iso_time(int64_t seconds) {
  const time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  const size_t size = strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

std::string audit_line(const Decision& decision) {
  std::string out = "{";
  add_member("time", iso_time(static_cast<int64_t>(decision.wall_us / 1'000'000)), out);
  add_member("event", "credentials", out);
  add_member("outcome", decision.outcome, out);
  out += ",\"status\":" + std::to_string(decision.status);
  add_member("client", decision.client, out);
  add_member("caller", decision.caller, out);
  add_member("virtual_cluster", decision.target.space, out);
  add_member("endpoint", decision.target.endpoint, out);
  add_member("subject", decision.subject, out);
  if (decision.session != nullptr) add_session(*decision.session, out);
  if (decision.replayed) out += ",\"replayed\":true";
  add_member("why", decision.why, out);
  return out + "}\n";
}

}  // namespace kg::issuer
