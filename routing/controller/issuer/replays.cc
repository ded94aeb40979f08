#include "routing/controller/issuer/replays.h"

#include <nlohmann/json.hpp>

namespace kg::issuer {
namespace {

// Unambiguous, whatever the texts hold.
crypto::Sha256 digest(const nlohmann::json& list) {
  return crypto::sha256(list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

Replays::Key Replays::key_of(std::string_view caller, const Target& target, const Wish& wish) {
  return digest({caller, target.space, target.endpoint, wish.client_token});
}

crypto::Sha256 Replays::digest_of(const Wish& wish) {
  return digest({wish.seconds, wish.role, wish.log_context, wish.subject, wish.groups});
}

const Replays::Entry* Replays::find(const Key& key, int64_t now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  const Entry& entry = found->second;
  return entry.issued_at + entry.seconds > now ? &entry : nullptr;
}

void Replays::remember(const Key& key, Entry entry) {
  if (!entries_.insert_or_assign(key, std::move(entry)).second) return;  // its turn stays
  order_.push_back(key);
  if (order_.size() <= kReplaysMax) return;
  entries_.erase(order_.front());
  order_.pop_front();
}

}  // namespace kg::issuer
