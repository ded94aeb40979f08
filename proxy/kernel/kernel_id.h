// Kernel ids that say whose kernel it is, so that every replica judges from the id alone.
//
// Gateways take a client's KERNEL_ID if it is a lower-case UUID v4 (J14). Of its 128 bits 122 are
// free, and these fill them, first to last:
//
//   key epoch 3 | pod tag 24 | nonce 31 | owner tag 32 | mint tag 32
//
// owner tag = PRF(owner key; endpoint, scope, pod tag, nonce): whose it is, told to nobody.
// mint tag  = PRF(mint key; endpoint and all of the above): that it is ours at all.
// The PRF is HMAC-SHA-256, cut to 32 bits; its input is unambiguous: every text after its length.
// A valid mint tag means that the owner tag alone decides, never the policy for foreign ids. A
// guess of a tag succeeds once in 2^32, and each costs a request.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/crypto.h"

namespace kg::kernel {

struct KernelId {
  uint8_t epoch = 0;
  uint32_t pod_tag = 0;
  uint32_t nonce = 0;
  uint32_t owner_tag = 0;
  uint32_t mint_tag = 0;

  bool operator==(const KernelId&) const = default;
};

// nullopt for all but a lower-case UUID v4.
std::optional<KernelId> parse_kernel_id(std::string_view text) noexcept;
std::string format_kernel_id(const KernelId& id);
// Of the pod's stable name.
uint32_t pod_tag_of(std::string_view pod) noexcept;
uint32_t random_nonce() noexcept;

// Who may use a kernel, fixed when it is created.
struct Scope {
  enum class Kind : uint8_t { kUser = 1, kGroup = 2, kEndpoint = 3 };
  Kind kind = Kind::kUser;
  std::string_view realm;  // kUser: equal subjects of two realms are two people
  std::string_view name;   // subject or group
};

// The keys behind the tags: one of them mints, all of them check. Immutable; any thread.
class KernelIdKeys {
 public:
  static constexpr size_t kSecretBytesMin = 32;
  static constexpr size_t kSecretBytesMax = 64;

  // One key a line: "EPOCH STATE SECRET", 0 to 7, `next`, `current` or `previous`, 32 to 64 bytes
  // in base64. Exactly one is current and mints. Lines that are empty or begin with # do not count.
  // Null, and what is wrong in words that hold nothing of the text.
  static std::shared_ptr<const KernelIdKeys> parse(std::string_view text, std::string& error);
  // A file with one new key, as parse() reads it. Secret.
  static std::string new_file_text();
  ~KernelIdKeys();

  bool same_keys(const KernelIdKeys& other) const noexcept;
  std::string mint(std::string_view endpoint, const Scope& scope, uint32_t pod_tag,
                   uint32_t nonce) const;
  // The same for the same client's id of the same person, as long as the key is current.
  uint32_t nonce_of(std::string_view endpoint, const Scope& user, std::string_view client_id) const;
  bool is_minted(std::string_view endpoint, const KernelId& id) const;

 private:
  friend class KernelClaim;
  static constexpr size_t kEpochs = 8;
  struct Key {
    explicit Key(std::string_view secret);
    crypto::Hmac owner;
    crypto::Hmac mint;
    crypto::Hmac nonce;
    crypto::Sha256 digest;  // of the secret: tells keys apart
  };
  KernelIdKeys() = default;
  const char* add_line(std::string_view line);  // what is wrong, or null

  std::array<std::unique_ptr<const Key>, kEpochs> keys_;  // by epoch
  std::optional<uint8_t> current_;
};

// What one principal may claim at one endpoint: its scopes, encoded once.
class KernelClaim {
 public:
  static constexpr size_t kScopesMax = 16;
  enum class Verdict : uint8_t {
    kOwn,
    kOthers,   // minted here for somebody else, or one of ours in another spelling
    kForeign,  // not minted here
  };

  // Scopes beyond kScopesMax do not count.
  KernelClaim(std::string_view endpoint, const std::vector<Scope>& scopes);
  Verdict judge(const KernelIdKeys& keys, std::string_view id) const;
  // Equal for equal claims only.
  std::string text() const;

 private:
  std::string endpoint_;
  std::vector<std::string> inputs_;  // of the owner tag, without pod tag and nonce
};

}  // namespace kg::kernel
