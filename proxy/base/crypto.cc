#include "proxy/base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstring>

#include "proxy/base/assert.h"
#include "proxy/base/owned.h"

namespace kg::crypto {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// Never freed: other threads may still hash while the process ends.
const EVP_MD* fetch(const char* name) noexcept {
  const EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
  KG_ASSERT(md != nullptr);
  return md;
}

using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

template <class Digest>
Digest digest(EVP_MD_CTX* context, const EVP_MD* md, std::string_view bytes,
              std::string_view then = {}) noexcept {
  Digest out;
  unsigned int size = 0;
  const bool ok = context != nullptr && EVP_DigestInit_ex2(context, md, nullptr) == 1 &&
                  EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1 &&
                  (then.empty() || EVP_DigestUpdate(context, then.data(), then.size()) == 1) &&
                  EVP_DigestFinal_ex(context, out.data(), &size) == 1;
  KG_ASSERT(ok && size == out.size());
  return out;
}

void append_hex(unsigned char byte, std::string& out) {
  out.push_back(kHexDigits[byte >> 4U]);
  out.push_back(kHexDigits[byte & 0x0fU]);
}

}  // namespace

Sha256 sha256(std::string_view bytes) noexcept { return sha256(bytes, {}); }

Sha256 sha256(std::string_view first, std::string_view then) noexcept {
  static const EVP_MD* const md = fetch("SHA256");
  // One context per algorithm: a context keeps its provider state only while the algorithm stays.
  static thread_local const DigestContext context(EVP_MD_CTX_new());
  return digest<Sha256>(context.get(), md, first, then);
}

Sha1 sha1(std::string_view bytes) noexcept {
  static const EVP_MD* const md = fetch("SHA1");
  static thread_local const DigestContext context(EVP_MD_CTX_new());
  return digest<Sha1>(context.get(), md, bytes);
}

KeyedHash::KeyedHash() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  random_bytes(key_.data(), key_.size());
  context_.reset(EVP_MAC_CTX_new(mac));
  KG_ASSERT(context_ != nullptr);
  size_t size = sizeof(Hash);
  const std::array params{OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                          OSSL_PARAM_construct_end()};
  KG_ASSERT(EVP_MAC_CTX_set_params(context_.get(), params.data()) == 1);
}

KeyedHash::~KeyedHash() { OPENSSL_cleanse(key_.data(), key_.size()); }

void KeyedHash::Free::operator()(evp_mac_ctx_st* context) const noexcept {
  EVP_MAC_CTX_free(context);
}

KeyedHash::Hash KeyedHash::operator()(std::string_view first, std::string_view then) noexcept {
  Hash out;
  size_t size = 0;
  const bool ok = EVP_MAC_init(context_.get(), key_.data(), key_.size(), nullptr) == 1 &&
                  EVP_MAC_update(context_.get(), bytes_of(first), first.size()) == 1 &&
                  EVP_MAC_update(context_.get(), bytes_of(then), then.size()) == 1 &&
                  EVP_MAC_final(context_.get(), out.data(), &size, out.size()) == 1;
  KG_ASSERT(ok && size == out.size());
  return out;
}

Hmac::Hmac(std::string_view key) noexcept {
  KG_ASSERT(key.size() <= kBlockBytes);
  std::memcpy(inner_.data(), key.data(), key.size());
  outer_ = inner_;
  for (char& byte : inner_) byte = static_cast<char>(byte ^ 0x36);
  for (char& byte : outer_) byte = static_cast<char>(byte ^ 0x5c);
}

Hmac::~Hmac() {
  explicit_bzero(inner_.data(), inner_.size());
  explicit_bzero(outer_.data(), outer_.size());
}

Sha256 Hmac::of(std::string_view message) const noexcept {
  const Sha256 inner = sha256({inner_.data(), inner_.size()}, message);
  return sha256({outer_.data(), outer_.size()},
                {reinterpret_cast<const char*>(inner.data()), inner.size()});
}

void random_bytes(void* out, size_t size) noexcept {
  KG_ASSERT(RAND_bytes_ex(nullptr, static_cast<unsigned char*>(out), size, 0) == 1);
}

std::string random_hex(size_t bytes) {
  std::string raw(bytes, '\0');
  random_bytes(raw.data(), raw.size());
  return hex(raw);
}

std::string unique_hex(size_t bytes) {
  static thread_local std::array<char, 1024> stock;
  static thread_local size_t left = 0;
  KG_ASSERT(bytes <= stock.size());
  if (left < bytes) {
    random_bytes(stock.data(), stock.size());
    left = stock.size();
  }
  left -= bytes;
  return hex({stock.data() + left, bytes});
}

std::string hex(std::string_view bytes) {
  std::string out(2 * bytes.size(), '\0');
  char* at = out.data();
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *at++ = kHexDigits[byte >> 4U];
    *at++ = kHexDigits[byte & 0x0fU];
  }
  return out;
}

std::string random_uuid() {
  std::array<unsigned char, 16> raw;
  random_bytes(raw.data(), raw.size());
  raw[6] = static_cast<unsigned char>((raw[6] & 0x0fU) | 0x40U);  // version 4
  raw[8] = static_cast<unsigned char>((raw[8] & 0x3fU) | 0x80U);  // variant of RFC 9562
  std::string out;
  out.reserve(36);
  for (size_t i = 0; i < raw.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    append_hex(raw[i], out);
  }
  return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace kg::crypto
