// A token as a client sends it: only bytes that the issuer signed are ever believed.
#include "auth/jwt.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/session_key.h"

namespace kg::fuzz {
namespace {

std::string_view signed_part(std::string_view token) { return token.substr(0, token.rfind('.')); }

void check_parts(std::string_view token, const auth::Jwt& jwt) {
  KG_ASSERT(is_within(jwt.signed_bytes, token) && jwt.signed_bytes == signed_part(token));
  KG_ASSERT(!jwt.claims.empty() && jwt.claims.size() <= auth::kJwtPartBytesMax);
  KG_ASSERT(!jwt.signature.empty() && jwt.signature.size() <= auth::kJwtSignatureBytesMax);
  // One spelling for each value: no second token for the same session.
  const size_t dot = jwt.signed_bytes.find('.');
  KG_ASSERT(ascii::base64url_encode(jwt.claims) == jwt.signed_bytes.substr(dot + 1));
  KG_ASSERT(ascii::base64url_encode(jwt.signature) == token.substr(token.rfind('.') + 1));
}

}  // namespace

void run(std::string_view input) {
  static const auth::Door sessions = verifier();
  static const std::string good = good_token();
  static const bool works = sessions.verify(good, kNow).has_value();
  KG_ASSERT(works);
  const Result<auth::Jwt> jwt = auth::split_jwt(input);
  if (jwt) check_parts(input, *jwt);
  const Result<auth::Principal> principal = sessions.verify(input, kNow);
  if (!principal) return;
  KG_ASSERT(jwt.has_value() && signed_part(input) == signed_part(good));
  KG_ASSERT(principal->subject == "alice" && principal->endpoint == "ep");
}

}  // namespace kg::fuzz
