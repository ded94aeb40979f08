// Hashes and randomness over OpenSSL 3. Algorithm fetches are slow there, so each is fetched once.
// Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_mac_ctx_st;

namespace kg::crypto {

using Sha256 = std::array<unsigned char, 32>;
using Sha1 = std::array<unsigned char, 20>;

// As OpenSSL wants them.
inline const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Sha256 sha256(std::string_view bytes) noexcept;
Sha256 sha256(std::string_view first, std::string_view then) noexcept;  // of both, joined
Sha1 sha1(std::string_view bytes) noexcept;  // only Sec-WebSocket-Accept (RFC 6455 section 4.2.2)

// SipHash-2-4 of 128 bits under a random key: equal inputs have equal hashes in one object, and who
// does not know the key cannot choose two inputs with one hash. Through OpenSSL it takes 0.5 us for
// a token of 700 bytes, no more than SHA-256 and half of HMAC. Thread: one.
class KeyedHash {
 public:
  using Hash = std::array<unsigned char, 16>;
  KeyedHash();
  ~KeyedHash();
  KeyedHash(const KeyedHash&) = delete;
  KeyedHash& operator=(const KeyedHash&) = delete;
  Hash operator()(std::string_view first, std::string_view then) noexcept;  // of both, joined

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const noexcept;
  };
  std::array<unsigned char, 16> key_;
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

// HMAC-SHA-256 (RFC 2104) with one key of at most 64 bytes. Immutable; wiped when it dies.
class Hmac {
 public:
  explicit Hmac(std::string_view key) noexcept;
  ~Hmac();
  Hmac(const Hmac&) = default;
  Hmac& operator=(const Hmac&) = default;
  Sha256 of(std::string_view message) const noexcept;

 private:
  static constexpr size_t kBlockBytes = 64;  // of SHA-256
  using Block = std::array<char, kBlockBytes>;
  Block inner_{};
  Block outer_{};
};

// From the system's generator; ends the process if it fails, since nothing safe can follow.
void random_bytes(void* out, size_t size) noexcept;
std::string random_hex(size_t bytes);
// For what must be unique and is no secret, as an id in a header of each request: from a stock of
// the thread's, which costs a call of the generator once in a thousand bytes.
std::string unique_hex(size_t bytes);
std::string hex(std::string_view bytes);  // lower case
// RFC 9562 version 4, lower case.
std::string random_uuid();

// Time depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace kg::crypto
