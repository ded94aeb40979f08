// What a stranger says to the session credentials API: a path, an Authorization field, a body. The
// input is taken for each of them.
#include <nlohmann/json.hpp>

#include "auth/claims.h"
#include "routing/controller/issuer/replays.h"
#include "routing/controller/issuer/request.h"
#include "routing/controller/issuer/reviews.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

namespace {

// Proxies take what was read here for claims.
void check_claims(const issuer::Wish& wish) {
  nlohmann::json claims{{"sub", wish.subject.empty() ? "caller" : wish.subject}};
  claims["groups"] = wish.groups;
  if (!wish.role.empty()) claims["role"] = wish.role;
  if (!wish.log_context.empty()) claims["log_context"] = wish.log_context;
  const auth::JsonObject::Parsed parsed = auth::JsonObject::parse(claims.dump());
  KG_ASSERT(parsed.object.has_value());
  KG_ASSERT(auth::read_claims(*parsed.object, {}).has_value());
}

}  // namespace

void run(std::string_view input) {
  if (const auto target = issuer::read_target(input)) {
    KG_ASSERT(input == "/virtualclusters/" + target->space + "/endpoints/" + target->endpoint +
                           "/credentials");
  }
  if (const std::string_view token = issuer::bearer_of(input); !token.empty()) {
    KG_ASSERT(is_within(token, input));
    const auto review = nlohmann::json::parse(issuer::token_review(token, {"a"}).reveal());
    KG_ASSERT(review.at("spec").at("token").get_ref<const std::string&>() == token);
  }
  const issuer::ReadWish read = issuer::read_wish(input);
  KG_ASSERT(read.wish.has_value() == read.problem.empty());
  if (!read.wish) return;
  const issuer::Wish& wish = *read.wish;
  KG_ASSERT(wish.seconds >= 1 && wish.seconds <= issuer::kSecondsMax);
  KG_ASSERT(wish.groups.size() <= issuer::kGroupsMax);
  KG_ASSERT(std::ranges::is_sorted(wish.groups));
  check_claims(wish);
  KG_ASSERT(issuer::Replays::digest_of(wish) == issuer::Replays::digest_of(wish));
}

}  // namespace kg::fuzz
