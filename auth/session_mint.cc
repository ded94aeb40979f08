#include "auth/session_mint.h"

#include <array>
#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"

namespace kg::auth {
namespace {

constexpr std::string_view kOpaquePrefix = "kgt_";
constexpr size_t kOpaqueRandomBytes = 32;

std::string hex(const crypto::Sha256& digest) {
  return crypto::hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

Minted mint_session(const std::string& private_key_file, const SessionClaims& claims) {
  const SessionSigner::Loaded loaded = SessionSigner::from_file(private_key_file);
  if (loaded.signer == nullptr) return {{}, loaded.error};
  return loaded.signer->sign(claims);
}

MintedOpaque mint_opaque(const SessionClaims& claims) {
  std::array<char, kOpaqueRandomBytes> random{};
  crypto::random_bytes(random.data(), random.size());
  std::string token(kOpaquePrefix);
  token += ascii::base64url_encode({random.data(), random.size()});
  std::string line = R"({"sha256":")" + hex(crypto::sha256(token)) + '"';
  append_common_claims(claims, line);
  return {Secret(std::move(token)), line + '}'};
}

PublicKeys public_jwks(const std::string& private_key_file) {
  const SessionSigner::Loaded loaded = SessionSigner::from_file(private_key_file);
  if (loaded.signer == nullptr) return {"", loaded.error};
  return {loaded.signer->public_jwks(), ""};
}

}  // namespace kg::auth
