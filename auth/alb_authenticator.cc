#include "auth/alb_authenticator.h"

#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/secret.h"

namespace kg::auth {

AlbAuthenticator::AlbAuthenticator(AlbRules rules, std::shared_ptr<AlbKeySource> keys)
    : rules_(std::move(rules)), keys_(std::move(keys)) {
  KG_ASSERT(keys_ != nullptr);
}

Verdict AlbAuthenticator::judge(const Evidence& evidence, int64_t now) const {
  return decide(evidence.oidc_data, now, true);
}

void AlbAuthenticator::ask(const Evidence& evidence, int64_t now, const Answer& answer) const {
  const Result<AlbToken> token = split_alb_token(evidence.oidc_data, rules_, now);
  KG_ASSERT(token.has_value());  // it led to kAsk
  keys_->learn(token->kid, [this, data = Secret(std::string(evidence.oidc_data)), now, answer] {
    answer(decide(data.reveal(), now, false));
  });
}

Verdict AlbAuthenticator::decide(std::string_view oidc_data, int64_t now, bool may_ask) const {
  const Result<AlbToken> token = split_alb_token(oidc_data, rules_, now);
  if (!token) {
    const Error& error = token.error();
    return error.code == ErrorCode::kSessionExpired ? Verdict::refuses(error)
                                                    : Verdict::not_mine(error.detail);
  }
  const AlbKeySource::Found found = keys_->find(token->kid);
  if (found.known == AlbKeySource::Known::kAsk) {
    if (may_ask) return Verdict::ask();
    return Verdict::refuses(
        {ErrorCode::kSessionUnknown, "the load balancer's key cannot be had", 0});
  }
  if (found.known == AlbKeySource::Known::kNone) {
    return Verdict::refuses({ErrorCode::kUnauthorized, "oidc data has an unknown kid", 0});
  }
  Result<Principal> principal = verify_alb_token(*token, rules_, *found.key);
  if (!principal) return Verdict::refuses(principal.error());
  return Verdict::accepts(std::move(principal).value());
}

}  // namespace kg::auth
