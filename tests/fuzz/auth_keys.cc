// A file of keys, JWK Set or PEM: good keys, or one sentence that says what is wrong.
#include "auth/key_set.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  const auth::KeySet::Loaded loaded = auth::KeySet::from_text(input);
  KG_ASSERT((loaded.keys == nullptr) != loaded.error.empty());
  for (const char c : loaded.error) KG_ASSERT(static_cast<unsigned char>(c) >= ' ');
  if (loaded.keys == nullptr) return;
  KG_ASSERT(loaded.keys->size() > 0 && loaded.keys->size() <= auth::kKeysMax);
  KG_ASSERT(!loaded.keys->algorithms().empty());
  for (const auth::Algorithm algorithm : loaded.keys->algorithms()) {
    KG_ASSERT(!loaded.keys->verify("", algorithm, "signed", ""));
    KG_ASSERT(!loaded.keys->verify("no such key", algorithm, "signed", std::string(64, 'x')) ||
              !loaded.keys->knows("no such key", algorithm));
  }
}

}  // namespace kg::fuzz
