// A JWK Set from an issuer's URL: never more than what the strict reading of a file believes.
#include "auth/key_set.h"
#include "proxy/base/limits.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  const auth::KeySet::Loaded lenient = auth::KeySet::from_issuer(input);
  KG_ASSERT((lenient.keys == nullptr) == !lenient.error.empty());
  if (lenient.keys == nullptr) return;
  KG_ASSERT(input.size() <= limits::kKeySetBytesMax && lenient.keys->size() <= auth::kKeysMax);
  KG_ASSERT(lenient.keys->holds_all_of(*lenient.keys));
  KG_ASSERT(lenient.keys->algorithms().empty() == (lenient.keys->size() == 0));
  if (input.find("-----BEGIN ") != std::string_view::npos) return;  // a file of PEM
  const auth::KeySet::Loaded strict = auth::KeySet::from_text(input);
  if (strict.keys == nullptr) return;
  KG_ASSERT(strict.keys->size() == lenient.keys->size());
  KG_ASSERT(strict.keys->holds_all_of(*lenient.keys) && lenient.keys->holds_all_of(*strict.keys));
}

}  // namespace kg::fuzz
