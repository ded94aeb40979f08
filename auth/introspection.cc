#include "auth/introspection.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "auth/identity.h"
#include "auth/refusal.h"
#include "auth/strict_json.h"
#include "proxy/base/ascii.h"

namespace kg::auth {
namespace {

// RFC 6749 section 3.3: words with single spaces between them.
bool has_scope(const JsonObject& answer, std::string_view wanted) {
  const std::string scopes = answer.text("scope").value_or("");
  std::string_view left = scopes;
  while (!left.empty()) {
    const size_t end = std::min(left.find(' '), left.size());
    if (left.substr(0, end) == wanted) return true;
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return false;
}

// RFC 7662 section 2.2: one text or an array of texts, as in a JWT.
bool is_for(const JsonObject& answer, const std::string& audience) {
  if (const std::optional<std::string> one = answer.text("aud")) return *one == audience;
  const auto several = answer.texts("aud");
  return several && std::find(several->begin(), several->end(), audience) != several->end();
}

// exp, nbf and iat, if there are any, into `who`.
std::optional<Error> take_times(const JsonObject& answer, int64_t now, Principal& who) {
  for (const char* name : {"exp", "nbf", "iat"}) {
    if (answer.has(name) && !answer.seconds(name)) {
      return Error{ErrorCode::kSessionUnknown, "introspection exp, nbf or iat is not a time", 0};
    }
  }
  if (answer.seconds("nbf").value_or(0) > now + limits::kClockSkewSeconds) {
    return Error{ErrorCode::kUnauthorized, "token is not yet valid (nbf)", 0};
  }
  who.issued_at = answer.seconds("iat").value_or(0);
  // Without an end it goes on for as long as the server says so: this one moves with each answer.
  who.expires_at = answer.seconds("exp").value_or(now + limits::kSessionSecondsMax);
  if (now >= who.expires_at) return Error{ErrorCode::kSessionExpired, "token exp", 0};
  return std::nullopt;
}

std::string form_text(std::string_view text) {
  std::string encoded;
  ascii::percent_encode(text, encoded);
  return encoded;
}

}  // namespace

std::string IntrospectionOptions::identity() const {
  Identity all("introspection");
  all.add(rules.realm).add(rules.issuer).add(rules.audience).add(rules.scope);
  all.add(rules.names.subject).add(rules.names.endpoint).add(rules.names.groups);
  for (const std::string& name : rules.names.others) all.add(name);
  all.add(url.text()).add(trust.get()).add(client_id).add(client_secret.reveal());
  return all.add(deadline_ms).digest();
}

Verdict read_introspection(std::string_view body, const IntrospectionRules& rules, int64_t now) {
  const JsonObject::Parsed parsed = JsonObject::parse(body);
  if (!parsed.object)
    return Verdict::refuses(unclear("introspection answer is not one plain JSON object"));
  const JsonObject& answer = *parsed.object;
  const std::optional<bool> active = answer.flag("active");
  if (!active)
    return Verdict::refuses(unclear("introspection answer has no active that is true or false"));
  if (!*active) return Verdict::refuses(refused("token is not active"));
  if (!rules.issuer.empty() && answer.text("iss") != rules.issuer) {
    return Verdict::refuses(refused("token iss differs"));
  }
  if (!rules.audience.empty() && !is_for(answer, rules.audience)) {
    return Verdict::refuses(refused("token aud differs"));
  }
  ClaimNames names = rules.names;
  if (names.subject == "sub" && !answer.has("sub")) names.subject = "username";
  Result<Principal> who = read_claims(answer, names);
  if (!who) return Verdict::refuses(who.error());
  who->realm = rules.realm;
  if (const auto fault = take_times(answer, now, *who)) return Verdict::refuses(*fault);
  if (!rules.scope.empty() && !has_scope(answer, rules.scope)) {
    return Verdict::refuses({ErrorCode::kForbidden, "token has not the scope", 0});
  }
  return Verdict::accepts(std::move(who).value());
}

Introspection::Introspection(IntrospectionOptions options) : options_(std::move(options)) {
  const Secret pair(form_text(options_.client_id) + ':' +
                    form_text(options_.client_secret.reveal()));
  authorization_ = Secret("Basic " + ascii::base64_encode(pair.reveal()));
}

fetch::Request Introspection::request(const Secret& token) const {
  fetch::Request request;
  request.purpose = fetch::Purpose::kIntrospection;
  request.method = fetch::Method::kPost;
  request.url = options_.url;
  request.trust = options_.trust;
  request.deadline_ms = options_.deadline_ms;
  request.fields.push_back({"Authorization", authorization_});
  request.fields.push_back({"Accept", Secret("application/json")});
  std::string form;
  form.reserve(3 * token.reveal().size() + 64);  // no copy is left behind
  form += "token=";
  ascii::percent_encode(token.reveal(), form);
  form += "&token_type_hint=access_token";
  request.body = Secret(std::move(form));
  return request;
}

Verdict Introspection::read(const fetch::Answer& answer, const Secret& /*token*/,
                            int64_t now) const {
  // A 401 is about our own credentials (section 2.3).
  if (answer.status != 200)
    return Verdict::refuses(unclear("introspection was not answered with 200"));
  return read_introspection(answer.body, options_.rules, now);
}

}  // namespace kg::auth
