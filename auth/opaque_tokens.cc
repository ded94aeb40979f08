#include "auth/opaque_tokens.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "auth/claims.h"
#include "auth/key_file.h"
#include "auth/strict_json.h"

namespace kg::auth {
namespace {

constexpr std::array<std::string_view, 12> kMembers{
    "sha256",          "exp", "iat", "sub",   "groups", "role", "log_context", "endpoint",
    "virtual_cluster", "jti", "sid", "claims"};
constexpr size_t kFurtherClaimsMax = 16;

std::string_view text_of(const crypto::Sha256& digest) noexcept {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

uint64_t prefix_of(const crypto::Sha256& digest) noexcept {
  uint64_t prefix = 0;
  std::memcpy(&prefix, digest.data(), sizeof prefix);
  return prefix;
}

int nibble(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<crypto::Sha256> digest_of(std::string_view hex) noexcept {
  crypto::Sha256 digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = nibble(hex[2 * i]);
    const int low = nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return digest;
}

// Members that a line may not have or that cannot be read. "" if nothing is wrong.
const char* form_fault(const JsonObject& line) {
  for (const std::string& name : line.names()) {
    if (std::find(kMembers.begin(), kMembers.end(), name) == kMembers.end()) {
      return "has a member of an unknown name";
    }
  }
  if (!digest_of(line.text("sha256").value_or(""))) {
    return "has no sha256 of 64 lower-case hexadecimal digits";
  }
  if (!line.seconds("exp")) return "has no exp in seconds since the epoch";
  if (line.has("iat") && !line.seconds("iat")) return "has an iat that is no time";
  if (!line.has("claims")) return "";
  const std::optional<JsonObject> further = line.object("claims");
  if (!further) return "has claims that are no object";
  if (further->names().size() > kFurtherClaimsMax) return "has more than 16 further claims";
  return "";
}

Result<Principal> principal_of(const JsonObject& line) {
  Result<Principal> principal = read_claims(line, ClaimNames());
  if (!principal) return principal;
  if (const std::optional<JsonObject> further = line.object("claims")) {
    Result<std::vector<Claim>> claims = read_further(*further, further->names());
    if (!claims) return claims.error();
    principal->claims = std::move(claims).value();
  }
  principal->issued_at = line.seconds("iat").value_or(0);
  principal->expires_at = line.seconds("exp").value_or(0);
  return principal;
}

std::string line_sentence(size_t number, const char* fault) {
  return "line " + std::to_string(number) + ' ' + fault;
}

}  // namespace

OpaqueTokens::Loaded OpaqueTokens::from_text(std::string_view text) {
  auto tokens = std::make_shared<OpaqueTokens>();
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    if (tokens->entries_.size() >= kOpaqueTokensMax) return {nullptr, "more than 100000 tokens"};
    const JsonObject::Parsed parsed = JsonObject::parse(line);
    if (!parsed.object) return {nullptr, line_sentence(number, parsed.fault)};
    if (const char* fault = form_fault(*parsed.object); *fault != '\0') {
      return {nullptr, line_sentence(number, fault)};
    }
    Result<Principal> principal = principal_of(*parsed.object);
    if (!principal)
      return {nullptr, line_sentence(number, "is unusable: ") + principal.error().detail};
    tokens->entries_.push_back({*digest_of(*parsed.object->text("sha256")), crypto::sha256(line),
                                std::move(principal).value()});
  }
  auto& entries = tokens->entries_;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(prefix_of(a.digest), text_of(a.digest)) <
           std::pair(prefix_of(b.digest), text_of(b.digest));
  });
  const auto twice =
      std::adjacent_find(entries.begin(), entries.end(),
                         [](const Entry& a, const Entry& b) { return a.digest == b.digest; });
  if (twice != entries.end()) return {nullptr, "two lines have the same sha256"};
  return {std::move(tokens), ""};
}

OpaqueTokens::Loaded OpaqueTokens::from_file(const std::string& path) {
  const KeyFile file = read_key_file(path, kOpaqueFileBytesMax);
  if (!file.error.empty()) return {nullptr, file.error};
  Loaded loaded = from_text(file.text.reveal());
  if (loaded.tokens == nullptr) loaded.error = path + ": " + loaded.error;
  return loaded;
}

const OpaqueTokens::Entry* OpaqueTokens::find(const crypto::Sha256& digest) const noexcept {
  const uint64_t prefix = prefix_of(digest);
  auto entry = std::lower_bound(entries_.begin(), entries_.end(), prefix,
                                [](const Entry& a, uint64_t b) { return prefix_of(a.digest) < b; });
  for (; entry != entries_.end() && prefix_of(entry->digest) == prefix; ++entry) {
    if (crypto::equal_constant_time(text_of(entry->digest), text_of(digest))) return &*entry;
  }
  return nullptr;
}

const Principal* OpaqueTokens::find(std::string_view token) const noexcept {
  if (token.size() < kOpaqueTokenBytesMin) return nullptr;
  const Entry* entry = find(crypto::sha256(token));
  return entry == nullptr ? nullptr : &entry->principal;
}

bool OpaqueTokens::holds_all_of(const OpaqueTokens& other) const noexcept {
  return std::all_of(other.entries_.begin(), other.entries_.end(), [this](const Entry& before) {
    const Entry* now = find(before.digest);
    return now != nullptr && now->line == before.line;
  });
}

}  // namespace kg::auth
