#include "auth/verdict_cache.h"

#include <cstring>
#include <iterator>

#include "proxy/base/limits.h"

namespace kg::auth {

VerdictCache::VerdictCache() : secret_{} { crypto::random_bytes(secret_.data(), secret_.size()); }

VerdictCache::Key VerdictCache::key_of(std::string_view credential) const noexcept {
  return crypto::sha256({reinterpret_cast<const char*>(secret_.data()), secret_.size()},
                        credential);
}

size_t VerdictCache::KeyHash::operator()(const Key& key) const noexcept {
  size_t hash = 0;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

std::list<VerdictCache::Key>& VerdictCache::ages_of(const Verdict& verdict) noexcept {
  return verdict.kind == Verdict::Kind::kPrincipal ? good_ : bad_;
}

std::optional<Verdict> VerdictCache::find(const Key& key, int64_t now) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return std::nullopt;
  if (now < entry->second.until) return entry->second.verdict;
  forget(entry);
  return std::nullopt;
}

void VerdictCache::remember(const Key& key, const Verdict& verdict, int64_t until) {
  if (const auto old = entries_.find(key); old != entries_.end()) forget(old);
  std::list<Key>& ages = ages_of(verdict);
  if (ages.size() >= limits::kRemoteKnownMax) forget(entries_.find(ages.front()));
  ages.push_back(key);
  entries_.emplace(key, Entry{verdict, until, std::prev(ages.end())});
}

void VerdictCache::forget(Entries::iterator entry) {
  ages_of(entry->second.verdict).erase(entry->second.age);
  entries_.erase(entry);
}

}  // namespace kg::auth
