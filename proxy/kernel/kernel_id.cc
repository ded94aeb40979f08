#include "proxy/kernel/kernel_id.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/base/secret.h"

namespace kg::kernel {
namespace {

constexpr size_t kTextBytes = 36;
constexpr uint32_t kPodTagMask = (1U << 24U) - 1;
constexpr uint32_t kNonceMask = (1U << 31U) - 1;
constexpr uint64_t kVersion4 = uint64_t{4} << 12U;    // RFC 9562 section 5.4
constexpr uint64_t kVariant = uint64_t{0b10} << 62U;  // section 4.1
constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr bool has_hyphen_at(size_t i) noexcept { return i == 8 || i == 13 || i == 18 || i == 23; }

void append_number(uint32_t value, size_t bytes, std::string& out) {
  for (size_t i = bytes; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
}

void append_text(std::string_view text, std::string& out) {
  append_number(static_cast<uint32_t>(text.size()), 4, out);
  out.append(text);
}

void append_scope(std::string_view endpoint, const Scope& scope, std::string& out) {
  append_text(endpoint, out);
  append_number(static_cast<uint32_t>(scope.kind), 1, out);
  append_text(scope.realm, out);
  append_text(scope.name, out);
}

void append_place(uint32_t pod_tag, uint32_t nonce, std::string& out) {
  append_number(pod_tag, 3, out);
  append_number(nonce, 4, out);
}

uint32_t tag_of(const crypto::Hmac& key, std::string_view input) noexcept {
  const crypto::Sha256 full = key.of(input);
  return uint32_t{full[0]} << 24U | uint32_t{full[1]} << 16U | uint32_t{full[2]} << 8U | full[3];
}

uint32_t mint_tag_of(const crypto::Hmac& key, std::string_view endpoint, const KernelId& id) {
  std::string input;
  append_text(endpoint, input);
  append_number(id.epoch, 1, input);
  append_place(id.pod_tag, id.nonce, input);
  append_number(id.owner_tag, 4, input);
  return tag_of(key, input);
}

// A key for each use, so that no tag of one is ever a tag of another.
crypto::Hmac derive(std::string_view secret, std::string_view use) noexcept {
  crypto::Sha256 key = crypto::Hmac(secret).of(use);
  const crypto::Hmac made({reinterpret_cast<const char*>(key.data()), key.size()});
  explicit_bzero(key.data(), key.size());
  return made;
}

std::string_view next_word(std::string_view& line) noexcept {
  line = ascii::trim(line);
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

std::optional<KernelId> parse_kernel_id(std::string_view text) noexcept {
  if (text.size() != kTextBytes) return std::nullopt;
  std::array<uint64_t, 2> halves{};
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (has_hyphen_at(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const size_t value = kHexDigits.find(text[i]);
    if (value == std::string_view::npos) return std::nullopt;
    uint64_t& half = halves[digits++ / 16];
    half = half << 4U | value;
  }
  const auto [high, low] = halves;
  if ((high & 0xf000U) != kVersion4 || low >> 62U != kVariant >> 62U) return std::nullopt;
  const uint64_t first = (high >> 16U) << 12U | (high & 0xfffU);  // 60 bits
  KernelId id;
  id.epoch = static_cast<uint8_t>(first >> 57U);
  id.pod_tag = static_cast<uint32_t>(first >> 33U) & kPodTagMask;
  id.nonce = static_cast<uint32_t>(first >> 2U) & kNonceMask;
  id.owner_tag = static_cast<uint32_t>((first & 3U) << 30U | (low >> 32U & 0x3fff'ffffU));
  id.mint_tag = static_cast<uint32_t>(low);
  return id;
}

std::string format_kernel_id(const KernelId& id) {
  const uint64_t first = uint64_t{id.epoch} << 57U | uint64_t{id.pod_tag} << 33U |
                         uint64_t{id.nonce} << 2U | id.owner_tag >> 30U;
  const std::array<uint64_t, 2> halves{
      (first >> 12U) << 16U | kVersion4 | (first & 0xfffU),
      kVariant | uint64_t{id.owner_tag & 0x3fff'ffffU} << 32U | id.mint_tag};
  std::string text(kTextBytes, '-');
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (has_hyphen_at(i)) continue;
    const uint64_t half = halves[digits / 16];
    text[i] = kHexDigits[half >> (60U - 4U * (digits++ % 16)) & 0xfU];
  }
  return text;
}

uint32_t pod_tag_of(std::string_view pod) noexcept {
  const crypto::Sha256 full = crypto::sha256(pod);
  return uint32_t{full[0]} << 16U | uint32_t{full[1]} << 8U | full[2];
}

uint32_t random_nonce() noexcept {
  uint32_t nonce = 0;
  crypto::random_bytes(&nonce, sizeof nonce);
  return nonce & kNonceMask;
}

KernelIdKeys::Key::Key(std::string_view secret)
    : owner(derive(secret, "kernelgate kernel id owner")),
      mint(derive(secret, "kernelgate kernel id mint")),
      nonce(derive(secret, "kernelgate kernel id nonce")),
      digest(crypto::sha256(secret)) {}

KernelIdKeys::~KernelIdKeys() = default;

const char* KernelIdKeys::add_line(std::string_view line) {
  const std::string_view epoch = next_word(line);
  const std::string_view state = next_word(line);
  const std::optional<Secret> secret = Secret::from_base64(next_word(line));
  if (epoch.size() != 1 || epoch[0] < '0' || epoch[0] > '7') return "does not begin with 0 to 7";
  if (state != "next" && state != "current" && state != "previous") {
    return "does not say next, current or previous";
  }
  if (!secret || secret->reveal().size() < kSecretBytesMin ||
      secret->reveal().size() > kSecretBytesMax) {
    return "does not hold 32 to 64 bytes in base64";
  }
  if (!ascii::trim(line).empty()) return "holds more than three words";
  const auto index = static_cast<uint8_t>(epoch[0] - '0');
  if (keys_[index] != nullptr) return "has the epoch of an earlier line";
  auto made = std::make_unique<const Key>(secret->reveal());
  for (const auto& other : keys_) {
    if (other != nullptr && other->digest == made->digest) return "has the secret of another line";
  }
  keys_[index] = std::move(made);
  if (state != "current") return nullptr;
  if (current_) return "is a second current key";
  current_ = index;
  return nullptr;
}

std::shared_ptr<const KernelIdKeys> KernelIdKeys::parse(std::string_view text, std::string& error) {
  std::shared_ptr<KernelIdKeys> made(new KernelIdKeys());
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = ascii::trim(line);
    if (line.empty() || line.front() == '#') continue;
    const char* fault = made->add_line(line);
    if (fault == nullptr) continue;
    error = "line " + std::to_string(number) + " " + fault;
    return nullptr;
  }
  if (made->current_) return made;
  error = "holds no current key";
  return nullptr;
}

std::string KernelIdKeys::new_file_text() {
  std::array<char, kSecretBytesMin> raw{};
  crypto::random_bytes(raw.data(), raw.size());
  std::string text = "0 current " + ascii::base64_encode({raw.data(), raw.size()}) + "\n";
  explicit_bzero(raw.data(), raw.size());
  return text;
}

bool KernelIdKeys::same_keys(const KernelIdKeys& other) const noexcept {
  return current_ == other.current_ &&
         std::equal(keys_.begin(), keys_.end(), other.keys_.begin(),
                    [](const auto& a, const auto& b) {
                      return a == b || (a != nullptr && b != nullptr && a->digest == b->digest);
                    });
}

std::string KernelIdKeys::mint(std::string_view endpoint, const Scope& scope, uint32_t pod_tag,
                               uint32_t nonce) const {
  const Key& key = *keys_[*current_];
  KernelId id;
  id.epoch = *current_;
  id.pod_tag = pod_tag & kPodTagMask;
  id.nonce = nonce & kNonceMask;
  std::string input;
  append_scope(endpoint, scope, input);
  append_place(id.pod_tag, id.nonce, input);
  id.owner_tag = tag_of(key.owner, input);
  id.mint_tag = mint_tag_of(key.mint, endpoint, id);
  return format_kernel_id(id);
}

uint32_t KernelIdKeys::nonce_of(std::string_view endpoint, const Scope& user,
                                std::string_view client_id) const {
  std::string input;
  append_scope(endpoint, user, input);
  append_text(client_id, input);
  return tag_of(keys_[*current_]->nonce, input) & kNonceMask;
}

bool KernelIdKeys::is_minted(std::string_view endpoint, const KernelId& id) const {
  const Key* key = keys_[id.epoch].get();
  return key != nullptr && mint_tag_of(key->mint, endpoint, id) == id.mint_tag;
}

KernelClaim::KernelClaim(std::string_view endpoint, const std::vector<Scope>& scopes)
    : endpoint_(endpoint) {
  const size_t count = std::min(scopes.size(), kScopesMax);
  inputs_.reserve(count);
  for (size_t i = 0; i < count; ++i) append_scope(endpoint, scopes[i], inputs_.emplace_back());
}

std::string KernelClaim::text() const {
  std::string text;
  for (const std::string& input : inputs_) append_text(input, text);
  return text;
}

KernelClaim::Verdict KernelClaim::judge(const KernelIdKeys& keys, std::string_view text) const {
  const std::string lower = ascii::lower(text);
  const std::optional<KernelId> id = parse_kernel_id(lower);
  if (!id || !keys.is_minted(endpoint_, *id)) return Verdict::kForeign;
  // A gateway tells spellings apart; a policy for foreign ids must not get to see one of ours.
  if (lower != text) return Verdict::kOthers;
  const crypto::Hmac& key = keys.keys_[id->epoch]->owner;
  std::string input;
  for (const std::string& scope : inputs_) {
    input.assign(scope);
    append_place(id->pod_tag, id->nonce, input);
    if (tag_of(key, input) == id->owner_tag) return Verdict::kOwn;
  }
  return Verdict::kOthers;
}

}  // namespace kg::kernel
