#include "auth/key_set.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <utility>

#include "auth/jwk.h"
#include "auth/key.h"
#include "auth/key_file.h"
#include "auth/strict_json.h"
#include "proxy/base/ascii.h"
#include "proxy/base/owned.h"

namespace kg::auth {
namespace {

using Bio = Owned<BIO, &BIO_free>;

constexpr std::string_view kPemBegin = "-----BEGIN ";
constexpr std::string_view kPemPublic = "PUBLIC KEY-----";

std::string key_sentence(size_t number, const std::string& kid, std::string_view fault) {
  std::string sentence = "key " + std::to_string(number);
  if (!kid.empty()) {
    sentence += " (kid ";
    ascii::json_quote(kid.substr(0, kKidBytesMax), sentence);
    sentence += ')';
  }
  sentence += ' ';
  sentence += fault;
  return sentence;
}

// Labels of PEM blocks other than public keys, as a sentence about block `number`. "" if fine.
std::string label_fault(std::string_view label, size_t number) {
  if (label.substr(0, kPemPublic.size()) == kPemPublic) return "";
  if (label.substr(0, label.find('\n')).find("PRIVATE KEY") != std::string_view::npos) {
    return key_sentence(number, "", "is private: give the public key, and keep this one away");
  }
  return key_sentence(number, "", "is not a PEM block of the kind BEGIN PUBLIC KEY");
}

}  // namespace

KeySet::KeySet() = default;
KeySet::~KeySet() = default;

KeySet::Loaded KeySet::from_text(std::string_view text) {
  if (text.size() > kKeyFileBytesMax) return {nullptr, "more than 256 KiB of keys"};
  return text.find(kPemBegin) == std::string_view::npos ? from_jwk_set(text) : from_pem(text);
}

KeySet::Loaded KeySet::from_file(const std::string& path) {
  const KeyFile file = read_key_file(path);
  if (!file.error.empty()) return {nullptr, file.error};
  Loaded loaded = from_text(file.text.reveal());
  if (loaded.keys == nullptr) loaded.error = path + ": " + loaded.error;
  return loaded;
}

KeySet::Loaded KeySet::from_pem(std::string_view text) {
  const ErrorQueueGuard guard;
  std::shared_ptr<KeySet> set(new KeySet());
  set->any_kid_ = true;
  size_t number = 1;
  for (size_t at = text.find(kPemBegin); at != std::string_view::npos; ++number) {
    if (number > kKeysMax) return {nullptr, "more than 64 keys"};
    std::string fault = label_fault(text.substr(at + kPemBegin.size()), number);
    if (!fault.empty()) return {nullptr, std::move(fault)};
    const size_t next = text.find(kPemBegin, at + kPemBegin.size());
    const std::string_view block = text.substr(at, next - at);
    const Bio bio(BIO_new_mem_buf(block.data(), static_cast<int>(block.size())));
    Key::Made made = Key::adopt(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr), "");
    if (made.key == nullptr) return {nullptr, key_sentence(number, "", made.fault)};
    set->keys_.push_back(std::move(made.key));
    at = next;
  }
  return {std::move(set), ""};
}

KeySet::Loaded KeySet::from_jwk_set(std::string_view text) {
  const JsonObject::Parsed parsed = JsonObject::parse(text);
  if (!parsed.object) return {nullptr, std::string("the JWK Set ") + parsed.fault};
  const auto jwks = parsed.object->objects("keys");
  if (!jwks) return {nullptr, "the JWK Set has no array `keys` of objects (RFC 7517 section 5)"};
  if (jwks->empty()) return {nullptr, "the JWK Set has no key"};
  if (jwks->size() > kKeysMax) return {nullptr, "more than 64 keys"};
  std::shared_ptr<KeySet> set(new KeySet());
  for (const JsonObject& jwk : *jwks) {
    const size_t number = set->keys_.size() + 1;
    const std::string kid = jwk.text("kid").value_or("");
    Key::Made made = key_from_jwk(jwk);
    if (made.key == nullptr) return {nullptr, key_sentence(number, kid, made.fault)};
    const bool taken = std::any_of(set->keys_.begin(), set->keys_.end(),
                                   [&kid](const auto& key) { return key->kid() == kid; });
    if (taken && !kid.empty()) return {nullptr, key_sentence(number, kid, "repeats a kid")};
    set->keys_.push_back(std::move(made.key));
  }
  return {std::move(set), ""};
}

bool KeySet::fits(const Key& key, std::string_view kid, Algorithm algorithm) const noexcept {
  return key.serves(algorithm) && (any_kid_ || kid.empty() || key.kid() == kid);
}

bool KeySet::knows(std::string_view kid, Algorithm algorithm) const noexcept {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const auto& key) { return fits(*key, kid, algorithm); });
}

bool KeySet::verify(std::string_view kid, Algorithm algorithm, std::string_view signed_bytes,
                    std::string_view signature) const noexcept {
  return std::any_of(keys_.begin(), keys_.end(), [&](const auto& key) {
    return fits(*key, kid, algorithm) && key->verify(algorithm, signed_bytes, signature);
  });
}

std::vector<Algorithm> KeySet::algorithms() const {
  std::vector<Algorithm> algorithms;
  for (const auto& key : keys_) {
    for (const Algorithm algorithm : key->algorithms()) {
      if (std::find(algorithms.begin(), algorithms.end(), algorithm) == algorithms.end()) {
        algorithms.push_back(algorithm);
      }
    }
  }
  return algorithms;
}

bool KeySet::holds_all_of(const KeySet& other) const noexcept {
  const ErrorQueueGuard guard;
  return std::all_of(other.keys_.begin(), other.keys_.end(), [this](const auto& old) {
    return std::any_of(keys_.begin(), keys_.end(), [&old](const auto& key) {
      return key->kid() == old->kid() && key->algorithms() == old->algorithms() &&
             EVP_PKEY_eq(key->handle(), old->handle()) == 1;
    });
  });
}

size_t KeySet::size() const noexcept { return keys_.size(); }

}  // namespace kg::auth
