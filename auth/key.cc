#include "auth/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/owned.h"

namespace kg::auth {
namespace {

using DigestContext = Owned<EVP_MD_CTX, &EVP_MD_CTX_free>;
using KeyContext = Owned<EVP_PKEY_CTX, &EVP_PKEY_CTX_free>;
using EcSignature = Owned<ECDSA_SIG, &ECDSA_SIG_free>;
using Number = Owned<BIGNUM, &BN_free>;

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;        // one check costs about 0.4 ms there
constexpr int kRsaExponentBitsMax = 64;  // a larger one only makes each check slow
constexpr size_t kP256NumberBytes = 32;
constexpr size_t kP256DerBytesMax = 72;  // two INTEGERs of 33 bytes with their headers

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

const EVP_MD* digest_of(Algorithm algorithm) noexcept {
  return algorithm == Algorithm::kEdDsa ? nullptr : EVP_sha256();  // Ed25519 hashes by itself
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  size_t length = 0;
  return EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
         std::string_view(group.data(), length) == SN_X9_62_prime256v1;
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

// r || s (RFC 7518 section 3.4) as the DER that OpenSSL wants. Zero values never verify, but a
// library has believed them before (CVE-2022-21449), so they end here.
std::optional<std::string> der_of(std::string_view raw) {
  if (raw.size() != 2 * kP256NumberBytes) return std::nullopt;
  const int size = static_cast<int>(kP256NumberBytes);
  Number r(BN_bin2bn(bytes_of(raw), size, nullptr));
  Number s(BN_bin2bn(bytes_of(raw.substr(kP256NumberBytes)), size, nullptr));
  if (r == nullptr || s == nullptr || BN_is_zero(r.get()) == 1 || BN_is_zero(s.get()) == 1) {
    return std::nullopt;
  }
  const EcSignature pair(ECDSA_SIG_new());
  if (pair == nullptr || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return std::nullopt;
  static_cast<void>(r.release());  // set0 took both
  static_cast<void>(s.release());
  std::array<unsigned char, kP256DerBytesMax> der{};
  unsigned char* end = der.data();
  const int der_size = i2d_ECDSA_SIG(pair.get(), &end);
  if (der_size <= 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(der.data()), static_cast<size_t>(der_size));
}

std::optional<std::string> raw_of(std::string_view der) {
  const unsigned char* next = bytes_of(der);
  const EcSignature pair(d2i_ECDSA_SIG(nullptr, &next, static_cast<long>(der.size())));
  if (pair == nullptr) return std::nullopt;
  std::array<unsigned char, 2 * kP256NumberBytes> raw{};
  const int size = static_cast<int>(kP256NumberBytes);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw.data(), size) != size ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw.data() + size, size) != size) {
    return std::nullopt;
  }
  return std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
}

}  // namespace

ErrorQueueGuard::ErrorQueueGuard() noexcept { ERR_set_mark(); }
ErrorQueueGuard::~ErrorQueueGuard() { ERR_pop_to_mark(); }

Key::Key(EVP_PKEY* handle, std::string kid, Algorithm algorithm)
    : handle_(handle), kid_(std::move(kid)), algorithm_(algorithm) {}

void Key::HandleFree::operator()(EVP_PKEY* handle) const noexcept { EVP_PKEY_free(handle); }

Key::~Key() = default;

Key::Made Key::adopt(EVP_PKEY* handle, std::string kid) {
  const ErrorQueueGuard guard;
  Owned<EVP_PKEY, &EVP_PKEY_free> owned(handle);
  if (handle == nullptr) return {nullptr, "is not a valid key"};
  Algorithm algorithm = Algorithm::kEdDsa;
  if (EVP_PKEY_is_a(handle, "EC") == 1) {
    if (!is_p256(handle)) return {nullptr, "is on another curve than P-256"};
    algorithm = Algorithm::kEs256;
  } else if (EVP_PKEY_is_a(handle, "RSA") == 1) {
    if (const char* fault = rsa_fault(handle); *fault != '\0') return {nullptr, fault};
    algorithm = Algorithm::kRs256;
  } else if (EVP_PKEY_is_a(handle, "ED25519") != 1) {
    return {nullptr, "is neither EC P-256 nor RSA nor Ed25519"};
  }
  if (algorithm != Algorithm::kRs256 && !is_on_curve(handle)) {
    return {nullptr, "is not a valid key"};
  }
  return {std::unique_ptr<const Key>(new Key(owned.release(), std::move(kid), algorithm)), ""};
}

bool Key::verify(std::string_view signed_bytes, std::string_view signature) const noexcept {
  const ErrorQueueGuard guard;
  std::optional<std::string> der;
  if (algorithm_ == Algorithm::kEs256) {
    der = der_of(signature);
    if (!der) return false;
    signature = *der;
  }
  const DigestContext context(EVP_MD_CTX_new());
  KG_ASSERT(context != nullptr);
  return EVP_DigestVerifyInit(context.get(), nullptr, digest_of(algorithm_), nullptr,
                              handle_.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                          bytes_of(signed_bytes), signed_bytes.size()) == 1;
}

std::optional<std::string> Key::sign(std::string_view bytes) const {
  const ErrorQueueGuard guard;
  const DigestContext context(EVP_MD_CTX_new());
  KG_ASSERT(context != nullptr);
  size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, digest_of(algorithm_), nullptr, handle_.get()) !=
          1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(bytes), bytes.size()) != 1) {
    return std::nullopt;
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(bytes), bytes.size()) != 1) {
    return std::nullopt;
  }
  signature.resize(size);
  if (algorithm_ == Algorithm::kEs256) return raw_of(signature);
  return signature;
}

}  // namespace kg::auth
