#include "auth/session_cache.h"

#include <cstring>
#include <utility>

#include "proxy/base/assert.h"

namespace kg::auth {
namespace {

std::string_view text_of(const SessionCache::Key& key) noexcept {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

}  // namespace

SessionCache::SessionCache()
    : refusals_(std::make_unique<std::array<Refusal, limits::kSessionRefusalsMax>>()) {}

SessionCache::Key SessionCache::key_of(const Sessions& sessions, Proof proof,
                                       std::string_view credential) noexcept {
  std::array<char, sizeof(uint64_t) + 1> prefix{};
  const uint64_t id = sessions.id();
  std::memcpy(prefix.data(), &id, sizeof id);
  prefix.back() = static_cast<char>(proof);
  return hash_({prefix.data(), prefix.size()}, credential);
}

size_t SessionCache::KeyHash::operator()(const Key& key) const noexcept {
  size_t hash = 0;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

size_t SessionCache::place_of(const Key& key) noexcept {
  return KeyHash()(key) % limits::kSessionRefusalsMax;
}

bool SessionCache::is_current(const Known& known, int64_t now) noexcept {
  const bool believed =
      known.principal->believed_until == 0 || now < known.principal->believed_until;
  return believed && known.generation == known.link->generation();
}

PrincipalRef SessionCache::find(const Key& key, Slot& slot, int64_t now) {
  if (slot.known.principal != nullptr &&
      crypto::equal_constant_time(text_of(slot.key), text_of(key))) {
    if (is_current(slot.known, now)) return slot.known.principal;
    slot.known = {};
  }
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return nullptr;
  if (!is_current(entry->second.known, now)) {
    forget(entry);
    return nullptr;
  }
  slot.key = key;
  slot.known = entry->second.known;
  if (now >= slot.known.principal->expires_at) forget(entry);
  return slot.known.principal;
}

void SessionCache::remember(const Key& key, Slot* slot, Known known) {
  KG_ASSERT(known.principal != nullptr && known.link != nullptr);
  if (slot != nullptr) {
    slot->key = key;
    slot->known = known;
  }
  if (const auto old = entries_.find(key); old != entries_.end()) forget(old);
  if (entries_.size() >= limits::kSessionCacheMax) forget(entries_.find(by_age_.front()));
  by_age_.push_back(key);
  entries_.emplace(key, Entry{std::move(known), std::prev(by_age_.end())});
  KG_ASSERT(entries_.size() == by_age_.size());
}

std::optional<Error> SessionCache::find_refusal(const Key& key, int64_t now) const {
  const Refusal& refusal = (*refusals_)[place_of(key)];
  if (now >= refusal.until || refusal.key != key) return std::nullopt;
  return refusal.why;
}

void SessionCache::remember_refusal(const Key& key, const Error& why, int64_t now) {
  (*refusals_)[place_of(key)] = {key, why, now + limits::kSessionRefusedSeconds};
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
