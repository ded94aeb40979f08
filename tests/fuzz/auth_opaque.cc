// A file of opaque tokens: whole or refused, and only tokens of its lines are found.
#include "auth/opaque_tokens.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  const auth::OpaqueTokens::Loaded loaded = auth::OpaqueTokens::from_text(input);
  KG_ASSERT((loaded.tokens == nullptr) == !loaded.error.empty());
  if (loaded.tokens == nullptr) return;
  KG_ASSERT(loaded.tokens->size() <= auth::kOpaqueTokensMax);
  KG_ASSERT(loaded.tokens->holds_all_of(*loaded.tokens));
  KG_ASSERT(loaded.tokens->find(input) == nullptr);  // no text holds its own digest
  const auth::Principal* alice = loaded.tokens->find("kgt_aliceaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  if (alice == nullptr) return;
  KG_ASSERT(!alice->subject.empty() && alice->subject.size() <= 256 && alice->expires_at >= 0);
  KG_ASSERT(alice->realm.empty() && alice->groups.size() <= 200);
}

}  // namespace kg::fuzz
