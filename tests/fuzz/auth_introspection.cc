// What an authorization server says of a token: every way of being let in keeps all rules.
#include "auth/introspection.h"
#include "auth/strict_json.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

constexpr int64_t kNow = 1'700'000'000;

}  // namespace

void run(std::string_view input) {
  if (input.size() > 65'536) return;
  auth::IntrospectionRules rules;
  rules.realm = "fuzz";
  const auth::Verdict free = auth::read_introspection(input, rules, kNow);
  rules.issuer = "https://issuer.test";
  rules.audience = "kernelgate";
  rules.scope = "kernels";
  const auth::Verdict bound = auth::read_introspection(input, rules, kNow);
  for (const auth::Verdict* verdict : {&free, &bound}) {
    KG_ASSERT(verdict->kind == auth::Verdict::Kind::kPrincipal ||
              verdict->kind == auth::Verdict::Kind::kRefused);
  }
  if (free.kind == auth::Verdict::Kind::kRefused) {
    KG_ASSERT(bound.kind == auth::Verdict::Kind::kRefused);  // more rules let nobody in
    return;
  }
  const auth::JsonObject::Parsed answer = auth::JsonObject::parse(input);
  KG_ASSERT(answer.object && answer.object->flag("active") == true);
  const auth::Principal& who = free.principal;
  KG_ASSERT(who.realm == "fuzz" && !who.subject.empty() && who.expires_at > kNow);
  const char* name = answer.object->has("sub") ? "sub" : "username";
  KG_ASSERT(answer.object->text(name) == who.subject);
  if (bound.kind == auth::Verdict::Kind::kRefused) return;
  KG_ASSERT(answer.object->text("iss") == rules.issuer);
  KG_ASSERT(answer.object->text("scope")->find("kernels") != std::string::npos);
}

}  // namespace kg::fuzz
