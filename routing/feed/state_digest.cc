#include "routing/feed/state_digest.h"

#include <openssl/evp.h>

#include <bit>

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/owned.h"

namespace kg::feed {
namespace {

static_assert(std::endian::native == std::endian::little, "lanes are little-endian, as they stand");
using XofContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

void absorb(EVP_MD_CTX* context, std::string_view text) noexcept {
  std::array<unsigned char, 8> size;
  for (size_t i = 0; i < size.size(); ++i) {
    size[i] = static_cast<unsigned char>(uint64_t{text.size()} >> (8 * i));
  }
  KG_ASSERT(EVP_DigestUpdate(context, size.data(), size.size()) == 1 &&
            EVP_DigestUpdate(context, text.data(), text.size()) == 1);
}

}  // namespace

std::string text_of(const Digest& digest) {
  return crypto::hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

ItemMark::ItemMark(const Item& item) noexcept {
  static const EVP_MD* const shake = EVP_MD_fetch(nullptr, "SHAKE256", nullptr);
  static thread_local const XofContext context(EVP_MD_CTX_new());
  KG_ASSERT(shake != nullptr && EVP_DigestInit_ex2(context.get(), shake, nullptr) == 1);
  absorb(context.get(), item.key);
  absorb(context.get(), item.scope_namespace);
  absorb(context.get(), item.endpoint);
  // Of a long text SHA-256 takes a quarter of SHAKE's time.
  const crypto::Sha256 payload = crypto::sha256(*item.payload);
  absorb(context.get(), {reinterpret_cast<const char*>(payload.data()), payload.size()});
  KG_ASSERT(EVP_DigestFinalXOF(context.get(), reinterpret_cast<unsigned char*>(lanes_.data()),
                               sizeof(lanes_)) == 1);
}

void StateDigest::add(const ItemMark& mark) noexcept {
  const uint16_t* lanes = mark.lanes_.data();
  uint16_t* sum = sum_.data();
  for (size_t i = 0; i < sum_.size(); ++i) sum[i] = static_cast<uint16_t>(sum[i] + lanes[i]);
}

void StateDigest::remove(const ItemMark& mark) noexcept {
  const uint16_t* lanes = mark.lanes_.data();
  uint16_t* sum = sum_.data();
  for (size_t i = 0; i < sum_.size(); ++i) sum[i] = static_cast<uint16_t>(sum[i] - lanes[i]);
}

Digest StateDigest::value() const noexcept {
  return crypto::sha256({reinterpret_cast<const char*>(sum_.data()), sizeof(sum_)});
}

}  // namespace kg::feed
