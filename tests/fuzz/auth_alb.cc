// x-amzn-oidc-data: what passes before its signature is looked at is ours in every point, and no
// signature but the load balancer's passes.
#include <algorithm>

#include "auth/alb_token.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

constexpr int64_t kNow = 1'700'000'000;

auth::AlbRules rules() {
  auth::AlbRules rules;
  rules.realm = "alb";
  rules.signers = {"arn:aws:elasticloadbalancing:r:1:loadbalancer/app/a/1"};
  rules.client = "c";
  rules.issuer = "i";
  return rules;
}

// The P-256 key of RFC 7515 appendix A.3: it has signed no such header.
std::shared_ptr<const auth::KeySet> keys() {
  return auth::KeySet::from_text(R"({"keys":[{"kty":"EC","crv":"P-256",)"
                                 R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                                 R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})")
      .keys;
}

}  // namespace

void run(std::string_view input) {
  static const auth::AlbRules ours = rules();
  static const std::shared_ptr<const auth::KeySet> key = keys();
  KG_ASSERT(key != nullptr);
  const Result<auth::AlbToken> token = auth::split_alb_token(input, ours, kNow);
  if (!token) return;
  KG_ASSERT(is_within(token->signed_bytes, input) &&
            token->signed_bytes == input.substr(0, input.rfind('.')));
  KG_ASSERT(token->kid.size() == 36 &&
            token->kid.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos);
  KG_ASSERT(token->expires_at > kNow && token->expires_at <= kNow + 43'200);
  KG_ASSERT(!auth::verify_alb_token(*token, ours, *key));
}

}  // namespace kg::fuzz
