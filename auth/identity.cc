#include "auth/identity.h"

#include <utility>

#include "proxy/base/crypto.h"

namespace kg::auth {

Identity& Identity::add(std::string_view part) {
  std::string longer;
  longer.reserve(parts_.reveal().size() + part.size() + 24);  // no copy is left behind
  longer += parts_.reveal();
  longer += std::to_string(part.size());
  longer += ':';
  longer += part;
  parts_ = Secret(std::move(longer));
  return *this;
}

Identity& Identity::add(const fetch::Trust* trust) {
  if (trust == nullptr) return add("");
  return add(trust->ca_pem)
      .add(trust->chain_pem)
      .add(trust->key_pem.reveal())
      .add(trust->outward ? "outward" : "");
}

std::string Identity::digest() const {
  const crypto::Sha256 digest = crypto::sha256(parts_.reveal());
  return {digest.begin(), digest.end()};
}

}  // namespace kg::auth
