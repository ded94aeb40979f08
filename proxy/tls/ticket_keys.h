// TicketKeys: what seals the session tickets of clients, so that they may resume on any worker, and
// on any replica that holds the same keys.
//
// The first key seals; every key opens what it sealed, and who came with an older one gets a new
// ticket. Immutable; shared by all contexts. Thread: any.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;

namespace kg::tls {

class TicketKeys {
 public:
  static constexpr size_t kKeyBytes = 80;  // name 16, HMAC-SHA256 32, AES-256-CBC 32
  static constexpr size_t kIvBytes = 16;
  enum class Found : uint8_t { kNone, kOld, kFirst };

  // One key a line in base64, as HAProxy has them; lines that are empty or begin with # do not
  // count. Null, and what is wrong in words that hold nothing of the text.
  static std::shared_ptr<const TicketKeys> parse(std::string_view text, std::string& error);
  static std::shared_ptr<const TicketKeys> random();
  // A new first key; the one that was first still opens.
  std::shared_ptr<const TicketKeys> rotated() const;
  ~TicketKeys();

  bool same_keys(const TicketKeys& other) const noexcept;
  // False if OpenSSL fails. Fills in name and iv.
  bool begin_seal(unsigned char* name, unsigned char* iv, evp_cipher_ctx_st* cipher,
                  evp_mac_ctx_st* mac) const noexcept;
  Found begin_open(const unsigned char* name, const unsigned char* iv, evp_cipher_ctx_st* cipher,
                   evp_mac_ctx_st* mac) const noexcept;

 private:
  using Key = std::array<unsigned char, kKeyBytes>;
  TicketKeys() = default;

  std::vector<Key> keys_;
};

}  // namespace kg::tls
