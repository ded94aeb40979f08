// The claims of a token that the issuer did sign: every way of being let in keeps all rules.
#include "auth/strict_json.h"
#include "proxy/base/limits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/session_key.h"

namespace kg::fuzz {
namespace {

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return false;
  }
  return true;
}

void check(const auth::Principal& principal, const auth::JsonObject& claims) {
  KG_ASSERT(principal.realm == "fuzz" && principal.endpoint == "ep");
  KG_ASSERT(claims.text("iss") == "https://issuer.test" && claims.text("endpoint") == "ep");
  KG_ASSERT(!principal.subject.empty() && principal.subject.size() <= 256);
  KG_ASSERT(claims.text("sub") == principal.subject);
  KG_ASSERT(principal.virtual_cluster.empty() || principal.virtual_cluster == "vc");
  KG_ASSERT(claims.text("virtual_cluster").value_or("") == principal.virtual_cluster);
  KG_ASSERT(principal.role.empty() || principal.role == "arn:aws:iam::111122223333:role/r");
  KG_ASSERT(principal.expires_at > kNow && claims.seconds("exp") == principal.expires_at);
  KG_ASSERT(principal.expires_at <= kNow + limits::kSessionSecondsMax + limits::kClockSkewSeconds);
  KG_ASSERT(principal.groups.size() <= 200);
  for (const std::string& group : principal.groups) KG_ASSERT(!group.empty() && is_plain(group));
  for (const std::string& text :
       {principal.subject, principal.role, principal.log_context, principal.token_id}) {
    KG_ASSERT(is_plain(text));
  }
}

}  // namespace

void run(std::string_view input) {
  static const auth::Door sessions = verifier();
  static const std::unique_ptr<const auth::Key> key = issuer_key();
  if (input.empty() || input.size() > 4096) return;
  const Result<auth::Principal> principal = sessions.verify(signed_token(*key, input), kNow);
  const auth::JsonObject::Parsed claims = auth::JsonObject::parse(input);
  if (!claims.object) KG_ASSERT(!principal);
  if (!principal) {
    const ErrorCode code = principal.error().code;
    KG_ASSERT(code == ErrorCode::kUnauthorized || code == ErrorCode::kSessionExpired ||
              code == ErrorCode::kForbidden);
    return;
  }
  check(*principal, *claims.object);
  KG_ASSERT(sessions.allow(*principal, kNow).has_value());
  KG_ASSERT(!sessions.allow(*principal, principal->expires_at).has_value());
}

}  // namespace kg::fuzz
