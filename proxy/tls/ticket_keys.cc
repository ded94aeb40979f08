#include "proxy/tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/base/secret.h"

namespace kg::tls {
namespace {

constexpr size_t kNameBytes = 16;
constexpr size_t kMacKeyBytes = 32;

// Fetched once: a fetch for each ticket costs more than the ticket.
const EVP_CIPHER* cipher_algorithm() noexcept {
  static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  KG_ASSERT(fetched != nullptr);
  return fetched;
}

bool key_mac(EVP_MAC_CTX* mac, const unsigned char* key) noexcept {
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  return EVP_MAC_init(mac, key, kMacKeyBytes, params) == 1;
}

}  // namespace

TicketKeys::~TicketKeys() { explicit_bzero(keys_.data(), keys_.size() * sizeof(Key)); }

std::shared_ptr<const TicketKeys> TicketKeys::parse(std::string_view text, std::string& error) {
  std::shared_ptr<TicketKeys> made(new TicketKeys());
  made->keys_.reserve(limits::kTicketKeysMax);  // growing would leave copies behind
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = ascii::trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const std::string where = "line " + std::to_string(number);
    const std::optional<Secret> bytes = Secret::from_base64(line);
    if (!bytes || bytes->reveal().size() != kKeyBytes) {
      error = where + " is not 80 bytes in base64";
      return nullptr;
    }
    if (made->keys_.size() == limits::kTicketKeysMax) {
      error = where + " is one key more than " + std::to_string(limits::kTicketKeysMax);
      return nullptr;
    }
    Key& key = made->keys_.emplace_back();
    std::memcpy(key.data(), bytes->reveal().data(), key.size());
    for (size_t i = 0; i + 1 < made->keys_.size(); ++i) {
      if (std::memcmp(made->keys_[i].data(), key.data(), kNameBytes) != 0) continue;
      error = where + " begins with the same 16 bytes as an earlier key";
      return nullptr;
    }
  }
  if (!made->keys_.empty()) return made;
  error = "holds no key";
  return nullptr;
}

std::shared_ptr<const TicketKeys> TicketKeys::random() {
  std::shared_ptr<TicketKeys> made(new TicketKeys());
  made->keys_.resize(1);
  crypto::random_bytes(made->keys_.front().data(), kKeyBytes);
  return made;
}

std::shared_ptr<const TicketKeys> TicketKeys::rotated() const {
  std::shared_ptr<TicketKeys> made(new TicketKeys());
  made->keys_.resize(2);
  crypto::random_bytes(made->keys_.front().data(), kKeyBytes);
  made->keys_.back() = keys_.front();
  return made;
}

bool TicketKeys::same_keys(const TicketKeys& other) const noexcept { return keys_ == other.keys_; }

bool TicketKeys::begin_seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                            EVP_MAC_CTX* mac) const noexcept {
  const unsigned char* key = keys_.front().data();
  std::memcpy(name, key, kNameBytes);
  crypto::random_bytes(iv, kIvBytes);
  return key_mac(mac, key + kNameBytes) &&
         EVP_EncryptInit_ex2(cipher, cipher_algorithm(), key + kNameBytes + kMacKeyBytes, iv,
                             nullptr) == 1;
}

TicketKeys::Found TicketKeys::begin_open(const unsigned char* name, const unsigned char* iv,
                                         EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const noexcept {
  for (const Key& key : keys_) {
    if (std::memcmp(key.data(), name, kNameBytes) != 0) continue;
    const unsigned char* secrets = key.data() + kNameBytes;
    if (!key_mac(mac, secrets) ||
        EVP_DecryptInit_ex2(cipher, cipher_algorithm(), secrets + kMacKeyBytes, iv, nullptr) != 1) {
      return Found::kNone;
    }
    return &key == keys_.data() ? Found::kFirst : Found::kOld;
  }
  return Found::kNone;
}

}  // namespace kg::tls
