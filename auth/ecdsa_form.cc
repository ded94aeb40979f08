#include "auth/ecdsa_form.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

#include <array>

#include "proxy/base/crypto.h"
#include "proxy/base/owned.h"

namespace kg::auth {
namespace {

using Signature = Owned<ECDSA_SIG, &ECDSA_SIG_free>;
using Number = Owned<BIGNUM, &BN_free>;

constexpr size_t kDerBytesMax = 104;  // P-384: two INTEGERs of 49 bytes with their headers

}  // namespace

std::optional<std::string> ecdsa_der(std::string_view raw, size_t number_bytes) {
  if (raw.size() != 2 * number_bytes) return std::nullopt;
  const int size = static_cast<int>(number_bytes);
  Number r(BN_bin2bn(crypto::bytes_of(raw), size, nullptr));
  Number s(BN_bin2bn(crypto::bytes_of(raw.substr(number_bytes)), size, nullptr));
  if (r == nullptr || s == nullptr || BN_is_zero(r.get()) == 1 || BN_is_zero(s.get()) == 1) {
    return std::nullopt;
  }
  const Signature pair(ECDSA_SIG_new());
  if (pair == nullptr || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return std::nullopt;
  static_cast<void>(r.release());  // set0 took both
  static_cast<void>(s.release());
  std::array<unsigned char, kDerBytesMax> der{};
  if (i2d_ECDSA_SIG(pair.get(), nullptr) > static_cast<int>(der.size())) return std::nullopt;
  unsigned char* end = der.data();
  const int der_size = i2d_ECDSA_SIG(pair.get(), &end);
  if (der_size <= 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(der.data()), static_cast<size_t>(der_size));
}

std::optional<std::string> ecdsa_raw(std::string_view der, size_t number_bytes) {
  const unsigned char* next = crypto::bytes_of(der);
  const Signature pair(d2i_ECDSA_SIG(nullptr, &next, static_cast<long>(der.size())));
  if (pair == nullptr) return std::nullopt;
  std::string raw(2 * number_bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  const int size = static_cast<int>(number_bytes);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, size) != size ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + size, size) != size) {
    return std::nullopt;
  }
  return raw;
}

}  // namespace kg::auth
