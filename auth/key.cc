#include "auth/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <utility>

#include "auth/ecdsa_form.h"
#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/owned.h"

namespace kg::auth {
namespace {

using DigestContext = Owned<EVP_MD_CTX, &EVP_MD_CTX_free>;
using Digest = Owned<EVP_MD, &EVP_MD_free>;
using KeyContext = Owned<EVP_PKEY_CTX, &EVP_PKEY_CTX_free>;
using Number = Owned<BIGNUM, &BN_free>;

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;        // one check costs about 0.4 ms there
constexpr int kRsaExponentBitsMax = 64;  // a larger one only makes each check slow
constexpr int kPssSaltBytes = 32;        // as long as the hash (RFC 7518 section 3.5)
constexpr size_t kP256NumberBytes = 32;
constexpr size_t kP384NumberBytes = 48;

const EVP_MD* digest_of(Algorithm algorithm) {
  static const Digest sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  static const Digest sha384(EVP_MD_fetch(nullptr, "SHA384", nullptr));
  if (algorithm == Algorithm::kEdDsa) return nullptr;  // Ed25519 hashes by itself
  return algorithm == Algorithm::kEs384 ? sha384.get() : sha256.get();
}

// Of one half of an ECDSA signature; 0 for the other kinds.
size_t number_bytes(Algorithm algorithm) noexcept {
  if (algorithm == Algorithm::kEs256) return kP256NumberBytes;
  return algorithm == Algorithm::kEs384 ? kP384NumberBytes : 0;
}

std::optional<Algorithm> algorithm_of_curve(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1) return std::nullopt;
  const std::string_view name(group.data(), length);
  if (name == SN_X9_62_prime256v1) return Algorithm::kEs256;
  if (name == SN_secp384r1) return Algorithm::kEs384;
  return std::nullopt;
}

bool is_on_curve(EVP_PKEY* key) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

// "" if the key may be used. EVP_PKEY_public_check also looks for small factors and for a prime
// modulus: a quarter of a second for 8192 bits, too long for a set of keys in a reload.
const char* rsa_fault(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < kRsaBitsMin) return "is an RSA key of less than 2048 bits";
  if (bits > kRsaBitsMax) return "is an RSA key of more than 8192 bits";
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) != 1) return "has no exponent";
  const Number exponent(raw);
  if (BN_is_odd(raw) != 1 || BN_is_one(raw) == 1 || BN_num_bits(raw) > kRsaExponentBitsMax) {
    return "is an RSA key with an unusable public exponent";
  }
  return "";
}

// What the key's kind can serve, best known first. Empty with a fault if nothing.
std::vector<Algorithm> kinds_of(EVP_PKEY* key, const char*& fault) {
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    const std::optional<Algorithm> algorithm = algorithm_of_curve(key);
    if (algorithm && is_on_curve(key)) return {*algorithm};
    fault = algorithm ? "is not a valid key" : "is on another curve than P-256 and P-384";
  } else if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const char* unusable = rsa_fault(key);
    if (*unusable == '\0') return {Algorithm::kRs256, Algorithm::kPs256};
    fault = unusable;
  } else if (EVP_PKEY_is_a(key, "ED25519") == 1) {
    if (is_on_curve(key)) return {Algorithm::kEdDsa};
    fault = "is not a valid key";
  } else {
    fault = "is neither EC (P-256, P-384) nor RSA nor Ed25519";
  }
  return {};
}

bool use_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest_of(Algorithm::kPs256)) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, kPssSaltBytes) == 1;
}

}  // namespace

ErrorQueueGuard::ErrorQueueGuard() noexcept { ERR_set_mark(); }
ErrorQueueGuard::~ErrorQueueGuard() { ERR_pop_to_mark(); }

template <>
void Key::Free<EVP_PKEY>::operator()(EVP_PKEY* handle) const noexcept {
  EVP_PKEY_free(handle);
}
template <>
void Key::Free<EVP_MD_CTX>::operator()(EVP_MD_CTX* handle) const noexcept {
  EVP_MD_CTX_free(handle);
}

Key::Key(EVP_PKEY* handle, std::string kid) noexcept : handle_(handle), kid_(std::move(kid)) {}

Key::~Key() = default;

Key::Made Key::adopt(EVP_PKEY* handle, std::string kid, std::optional<Algorithm> only) {
  const ErrorQueueGuard guard;
  std::unique_ptr<Key> key(new Key(handle, std::move(kid)));
  if (handle == nullptr) return {nullptr, "is not a valid key"};
  const char* fault = "has an alg that does not fit the key";
  for (const Algorithm algorithm : kinds_of(handle, fault)) {
    if (only && algorithm != *only) continue;
    if (!key->prepare(algorithm)) return {nullptr, "is not a valid key"};
  }
  if (key->uses_.empty()) return {nullptr, fault};
  return {std::move(key), ""};
}

bool Key::prepare(Algorithm algorithm) {
  Use use{algorithm, {}};
  use.prepared.reset(EVP_MD_CTX_new());
  KG_ASSERT(use.prepared != nullptr);
  EVP_PKEY_CTX* context = nullptr;  // borrowed from use.prepared
  if (EVP_DigestVerifyInit(use.prepared.get(), &context, digest_of(algorithm), nullptr,
                           handle_.get()) != 1 ||
      (algorithm == Algorithm::kPs256 && !use_pss(context))) {
    return false;
  }
  uses_.push_back(std::move(use));
  return true;
}

const Key::Use* Key::use_of(Algorithm algorithm) const noexcept {
  for (const Use& use : uses_) {
    if (use.algorithm == algorithm) return &use;
  }
  return nullptr;
}

std::vector<Algorithm> Key::algorithms() const {
  std::vector<Algorithm> algorithms;
  for (const Use& use : uses_) algorithms.push_back(use.algorithm);
  return algorithms;
}

bool Key::verify(Algorithm algorithm, std::string_view signed_bytes,
                 std::string_view signature) const noexcept {
  const Use* use = use_of(algorithm);
  if (use == nullptr) return false;
  const ErrorQueueGuard guard;
  std::optional<std::string> der;
  if (const size_t size = number_bytes(algorithm); size > 0) {
    der = ecdsa_der(signature, size);
    if (!der) return false;
    signature = *der;
  }
  const DigestContext context(EVP_MD_CTX_new());
  KG_ASSERT(context != nullptr);
  return EVP_MD_CTX_copy_ex(context.get(), use->prepared.get()) == 1 &&
         EVP_DigestVerify(context.get(), crypto::bytes_of(signature), signature.size(),
                          crypto::bytes_of(signed_bytes), signed_bytes.size()) == 1;
}

std::optional<std::string> Key::sign(std::string_view bytes) const {
  const ErrorQueueGuard guard;
  const DigestContext context(EVP_MD_CTX_new());
  KG_ASSERT(context != nullptr);
  EVP_PKEY_CTX* key_context = nullptr;  // borrowed from context
  size_t size = 0;
  if (EVP_DigestSignInit(context.get(), &key_context, digest_of(algorithm()), nullptr,
                         handle_.get()) != 1 ||
      (algorithm() == Algorithm::kPs256 && !use_pss(key_context)) ||
      EVP_DigestSign(context.get(), nullptr, &size, crypto::bytes_of(bytes), bytes.size()) != 1) {
    return std::nullopt;
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     crypto::bytes_of(bytes), bytes.size()) != 1) {
    return std::nullopt;
  }
  signature.resize(size);
  if (const size_t number = number_bytes(algorithm()); number > 0) {
    return ecdsa_raw(signature, number);
  }
  return signature;
}

}  // namespace kg::auth
