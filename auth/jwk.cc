#include "auth/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"
#include "proxy/base/owned.h"

namespace kg::auth {
namespace {

using KeyContext = Owned<EVP_PKEY_CTX, &EVP_PKEY_CTX_free>;
using Number = Owned<BIGNUM, &BN_free>;
using ParamBuilder = Owned<OSSL_PARAM_BLD, &OSSL_PARAM_BLD_free>;
using Params = Owned<OSSL_PARAM, &OSSL_PARAM_free>;

struct Curve {
  const char* name;   // in a JWK
  const char* group;  // in OpenSSL
  size_t coordinate_bytes;
};
constexpr Curve kP256{"P-256", SN_X9_62_prime256v1, 32};
constexpr Curve kP384{"P-384", SN_secp384r1, 48};
constexpr size_t kEd25519Bytes = 32;
constexpr size_t kRsaNumberBytesMax = 1024;  // 8192 bits
constexpr char kUncompressedPoint = '\x04';  // SEC 1 section 2.3.3

// Private members of RSA, EC and OKP keys, and the value of a symmetric one.
constexpr std::array<const char*, 8> kSecretMembers{"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

std::optional<std::string> binary(const JsonObject& jwk, const char* name) {
  const std::optional<std::string> text = jwk.text(name);
  if (!text) return std::nullopt;
  return ascii::base64url_decode(*text);
}

// Borrows `builder`'s contents. Null if OpenSSL refuses them.
EVP_PKEY* key_from_params(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return key;
}

EVP_PKEY* ec_key(const JsonObject& jwk, const Curve& curve) {
  const std::optional<std::string> x = binary(jwk, "x");
  const std::optional<std::string> y = binary(jwk, "y");
  if (!x || !y || x->size() != curve.coordinate_bytes || y->size() != curve.coordinate_bytes) {
    return nullptr;
  }
  const std::string point = kUncompressedPoint + *x + *y;
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return key_from_params("EC", builder.get());
}

EVP_PKEY* rsa_key(const JsonObject& jwk) {
  const std::optional<std::string> n = binary(jwk, "n");
  const std::optional<std::string> e = binary(jwk, "e");
  if (!n || !e || n->size() > kRsaNumberBytesMax + 1 || e->size() > kRsaNumberBytesMax) {
    return nullptr;
  }
  // OSSL_PARAM_BLD keeps pointers to the numbers until to_param.
  const Number modulus(BN_bin2bn(crypto::bytes_of(*n), static_cast<int>(n->size()), nullptr));
  const Number exponent(BN_bin2bn(crypto::bytes_of(*e), static_cast<int>(e->size()), nullptr));
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (modulus == nullptr || exponent == nullptr || builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return key_from_params("RSA", builder.get());
}

EVP_PKEY* ed25519_key(const JsonObject& jwk) {
  const std::optional<std::string> x = binary(jwk, "x");
  if (!x || x->size() != kEd25519Bytes) return nullptr;
  return EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, crypto::bytes_of(*x),
                                        x->size());
}

// What a JWK says about its use, before the key itself is looked at. "" if nothing is wrong.
const char* usage_fault(const JsonObject& jwk) {
  for (const char* name : kSecretMembers) {
    if (jwk.has(name)) return "holds a private or symmetric key: keys here are public";
  }
  if (jwk.has("kid")) {
    const std::optional<std::string> kid = jwk.text("kid");
    if (!kid || kid->empty() || kid->size() > kKidBytesMax) return "has an unusable kid";
  }
  if (jwk.has("use") && jwk.text("use") != "sig") return "has a use other than sig";
  if (jwk.has("key_ops")) {
    const auto operations = jwk.texts("key_ops");
    if (!operations ||
        std::find(operations->begin(), operations->end(), "verify") == operations->end()) {
      return "has key_ops without verify";
    }
  }
  return "";
}

std::optional<std::string> number_text(const EVP_PKEY* key, const char* name, size_t size_min) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return std::nullopt;
  const Number number(raw);
  const size_t size = std::max(size_min, static_cast<size_t>(BN_num_bytes(raw)));
  std::string bytes(size, '\0');
  if (BN_bn2binpad(raw, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) <
      0) {
    return std::nullopt;
  }
  return ascii::base64url_encode(bytes);
}

std::string ec_members(const EVP_PKEY* key, const Curve& curve) {
  const auto x = number_text(key, OSSL_PKEY_PARAM_EC_PUB_X, curve.coordinate_bytes);
  const auto y = number_text(key, OSSL_PKEY_PARAM_EC_PUB_Y, curve.coordinate_bytes);
  if (!x || !y) return "";
  return R"("crv":")" + std::string(curve.name) + R"(","kty":"EC","x":")" + *x + R"(","y":")" + *y +
         '"';
}

// The required members in lexicographic order without spaces: what RFC 7638 section 3 hashes.
std::string required_members(const Key& key) {
  const ErrorQueueGuard guard;
  switch (key.algorithm()) {
    case Algorithm::kEs256:
      return ec_members(key.handle(), kP256);
    case Algorithm::kEs384:
      return ec_members(key.handle(), kP384);
    case Algorithm::kRs256:
    case Algorithm::kPs256: {
      const auto e = number_text(key.handle(), OSSL_PKEY_PARAM_RSA_E, 1);
      const auto n = number_text(key.handle(), OSSL_PKEY_PARAM_RSA_N, 1);
      if (!e || !n) return "";
      return R"("e":")" + *e + R"(","kty":"RSA","n":")" + *n + '"';
    }
    case Algorithm::kEdDsa: {
      std::string x(kEd25519Bytes, '\0');
      size_t size = x.size();
      if (EVP_PKEY_get_raw_public_key(key.handle(), reinterpret_cast<unsigned char*>(x.data()),
                                      &size) != 1) {
        return "";
      }
      return R"("crv":"Ed25519","kty":"OKP","x":")" + ascii::base64url_encode(x) + '"';
    }
  }
  return "";
}

}  // namespace

Key::Made key_from_jwk(const JsonObject& jwk) {
  const ErrorQueueGuard guard;
  if (const char* fault = usage_fault(jwk); *fault != '\0') return {nullptr, fault};
  std::optional<Algorithm> only;
  if (jwk.has("alg")) {
    only = algorithm_named(jwk.text("alg").value_or(""));
    if (!only) return {nullptr, "has an alg other than ES256, ES384, RS256, PS256 and EdDSA"};
  }
  const std::string type = jwk.text("kty").value_or("");
  const std::string curve = jwk.text("crv").value_or("");
  EVP_PKEY* handle = nullptr;
  if (type == "EC" && curve == kP256.name) {
    handle = ec_key(jwk, kP256);
  } else if (type == "EC" && curve == kP384.name) {
    handle = ec_key(jwk, kP384);
  } else if (type == "RSA") {
    handle = rsa_key(jwk);
  } else if (type == "OKP" && curve == "Ed25519") {
    handle = ed25519_key(jwk);
  } else {
    return {nullptr, "is neither EC (P-256, P-384) nor RSA nor OKP Ed25519"};
  }
  return Key::adopt(handle, jwk.text("kid").value_or(""), only);
}

std::string thumbprint(const Key& key) {
  const std::string members = required_members(key);
  if (members.empty()) return "";
  const crypto::Sha256 digest = crypto::sha256('{' + members + '}');
  return ascii::base64url_encode(
      std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

std::string jwk_from_key(const Key& key, const std::string& kid) {
  const std::string members = required_members(key);
  if (members.empty()) return "";
  std::string jwk = '{' + members + R"(,"alg":")";
  jwk += algorithm_name(key.algorithm());
  jwk += R"(","use":"sig","kid":)";
  ascii::json_quote(kid, jwk);
  return jwk + '}';
}

}  // namespace kg::auth
