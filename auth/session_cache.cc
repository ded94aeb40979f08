#include "auth/session_cache.h"

#include <array>
#include <cstring>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"

namespace kg::auth {
namespace {

crypto::Sha256 cache_key(uint64_t generation, std::string_view token) noexcept {
  std::array<char, sizeof generation> prefix{};
  std::memcpy(prefix.data(), &generation, sizeof generation);
  return crypto::sha256({prefix.data(), prefix.size()}, token);
}

}  // namespace

size_t SessionCache::KeyHash::operator()(const crypto::Sha256& key) const noexcept {
  size_t hash = 0;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

SessionCache::SessionCache() = default;

Result<std::shared_ptr<const Principal>> SessionCache::verify(const SessionVerifier& verifier,
                                                              std::string_view token, int64_t now) {
  // Such a token never entered; it is not worth a hash.
  if (token.size() > limits::kCredentialBytesMax) return verifier.verify(token, now).error();
  const crypto::Sha256 key = cache_key(verifier.generation(), token);
  if (const auto entry = entries_.find(key); entry != entries_.end()) {
    ++hits_;
    std::shared_ptr<const Principal> principal = entry->second.principal;
    const Result<void> allowed = verifier.allow(*principal, now);
    if (allowed) return principal;
    if (allowed.error().code == ErrorCode::kSessionExpired) forget(entry);
    return allowed.error();
  }
  Result<Principal> verified = verifier.verify(token, now);
  if (!verified) return verified.error();
  auto principal = std::make_shared<const Principal>(std::move(verified).value());
  remember(key, principal);
  return std::shared_ptr<const Principal>(std::move(principal));
}

void SessionCache::remember(const crypto::Sha256& key,
                            const std::shared_ptr<const Principal>& principal) {
  if (entries_.size() >= limits::kSessionCacheMax) forget(entries_.find(by_age_.front()));
  by_age_.push_back(key);
  entries_.emplace(key, Entry{principal, std::prev(by_age_.end())});
  KG_ASSERT(entries_.size() == by_age_.size());
}

void SessionCache::forget(Entries::iterator entry) {
  KG_ASSERT(entry != entries_.end());
  by_age_.erase(entry->second.age);
  entries_.erase(entry);
}

void SessionCache::forget_all() {
  entries_.clear();
  by_age_.clear();
}

}  // namespace kg::auth
