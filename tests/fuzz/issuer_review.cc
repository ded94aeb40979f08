// What an API server answers to reviews: nobody is let in by what cannot be read, and who was read
// is asked for as he is.
#include "routing/controller/issuer/reviews.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  for (const std::vector<std::string>& audiences :
       {std::vector<std::string>{}, std::vector<std::string>{"kernelgate"}}) {
    const issuer::TokenVerdict verdict = issuer::read_token_review(input, audiences);
    if (!verdict.caller) continue;
    KG_ASSERT(verdict.is_answer && !verdict.caller->name.empty());
    const auto asked = nlohmann::json::parse(
        issuer::access_review(*verdict.caller, {"create", "a", "endpoints", "credentials", "b"}));
    const auto& spec = asked.at("spec");
    KG_ASSERT(spec.at("user") == verdict.caller->name);
    KG_ASSERT(spec.at("groups") == verdict.caller->groups);
    KG_ASSERT(verdict.caller->extra.is_null() || spec.at("extra") == verdict.caller->extra);
  }
  const issuer::AccessVerdict access = issuer::read_access_review(input);
  KG_ASSERT(access.is_answer || !access.allowed);
}

}  // namespace kg::fuzz
