#include "routing/feed/state_digest.h"

#include <openssl/evp.h>

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/owned.h"

namespace kg::feed {
namespace {

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

ItemMark::ItemMark(const Item& item) noexcept {
  static const EVP_MD* const shake = EVP_MD_fetch(nullptr, "SHAKE256", nullptr);
  static thread_local const XofContext context(EVP_MD_CTX_new());
  std::array<unsigned char, 2 * kLanes> bytes;
  KG_ASSERT(shake != nullptr && EVP_DigestInit_ex2(context.get(), shake, nullptr) == 1);
  absorb(context.get(), item.key);
  absorb(context.get(), item.scope_namespace);
  absorb(context.get(), item.endpoint);
  absorb(context.get(), *item.payload);
  KG_ASSERT(EVP_DigestFinalXOF(context.get(), bytes.data(), bytes.size()) == 1);
  for (size_t i = 0; i < kLanes; ++i) {
    lanes_[i] = static_cast<uint16_t>(bytes[2 * i] | (bytes[2 * i + 1] << 8U));
  }
}

void StateDigest::add(const ItemMark& mark) noexcept {
  for (size_t i = 0; i < sum_.size(); ++i) {
    sum_[i] = static_cast<uint16_t>(sum_[i] + mark.lanes_[i]);
  }
}

void StateDigest::remove(const ItemMark& mark) noexcept {
  for (size_t i = 0; i < sum_.size(); ++i) {
    sum_[i] = static_cast<uint16_t>(sum_[i] - mark.lanes_[i]);
  }
}

Digest StateDigest::value() const noexcept {
  std::array<char, 2 * ItemMark::kLanes> bytes;
  for (size_t i = 0; i < sum_.size(); ++i) {
    bytes[2 * i] = static_cast<char>(sum_[i] & 0xffU);
    bytes[2 * i + 1] = static_cast<char>(sum_[i] >> 8U);
  }
  return crypto::sha256({bytes.data(), bytes.size()});
}

}  // namespace kg::feed
