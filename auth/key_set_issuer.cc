// What only a key set that an issuer publishes needs: it changes while we run, and holds keys that
// are not for us.
#include <algorithm>
#include <utility>

#include "auth/jwk.h"
#include "auth/key.h"
#include "auth/key_set.h"
#include "auth/strict_json.h"
#include "proxy/base/limits.h"

namespace kg::auth {

KeySet::Loaded KeySet::from_issuer(std::string_view text) {
  if (text.size() > limits::kKeySetBytesMax) return {nullptr, "more than 256 KiB of keys"};
  const JsonObject::Parsed parsed = JsonObject::parse(text);
  if (!parsed.object) return {nullptr, std::string("the JWK Set ") + parsed.fault};
  const auto jwks = parsed.object->objects("keys");
  if (!jwks) return {nullptr, "the JWK Set has no array `keys` of objects (RFC 7517 section 5)"};
  if (jwks->size() > kKeysMax) return {nullptr, "more than 64 keys"};
  std::shared_ptr<KeySet> set(new KeySet());
  std::string fault;
  for (const JsonObject& jwk : *jwks) {
    Key::Made made = key_from_jwk(jwk);
    if (made.key == nullptr) {
      fault = made.fault;
      continue;
    }
    const bool taken = std::any_of(set->keys_.begin(), set->keys_.end(), [&](const auto& key) {
      return !key->kid().empty() && key->kid() == made.key->kid();
    });
    if (taken) return {nullptr, "the JWK Set has two keys with one kid"};
    set->keys_.push_back(std::move(made.key));
  }
  if (set->keys_.empty() && !jwks->empty()) {
    return {nullptr, "the JWK Set has no key that can be used; the last one " + fault};
  }
  return {std::move(set), ""};
}

}  // namespace kg::auth
