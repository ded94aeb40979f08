// FleetKeys: what all proxies or controllers of a fleet share: made, and rotated.
//
// A set of keys is one or more texts, each under a suffix: the name of a file, or of an entry of a
// Secret, is its owner's name and that suffix.
//
//   feed        ""  the secret CURVE key   .pub  its public key   .next, .next.pub  the next pair
//   kernel-ids  ""  lines of kernel::KernelIdKeys: next, current, previous ones, newest first
//   tickets     ""  lines of tls::TicketKeys: the first seals, the other one opens
//
// What others have to know before it is used is `next` for one rotation: the first rotation of a
// new set makes it, each later one puts it to use and makes another. Tickets need no such step: a
// proxy that does not know a key yet makes a full handshake.
// Thread: any; values. Errors: sentences that hold nothing of a key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/secret.h"
#include "routing/feed/keys.h"

namespace kg::routing {

enum class KeyKind : uint8_t { kFeed, kKernelIds, kTickets };
std::string_view key_kind_name(KeyKind kind) noexcept;  // "kernel-ids"
std::optional<KeyKind> key_kind_named(std::string_view name) noexcept;

// Kernels live longer than sessions: ids of the last two keys before the current one still count.
inline constexpr size_t kPreviousKernelIdKeys = 2;

inline constexpr std::string_view kPublicSuffix = ".pub";  // what ends so is no secret
inline constexpr std::string_view kNextSuffix = ".next";

using KeyTexts = std::map<std::string, Secret, std::less<>>;  // by suffix

KeyTexts new_keys(KeyKind kind);
// nullopt: `keys` are none of that kind, and why.
std::optional<KeyTexts> rotated_keys(KeyKind kind, const KeyTexts& keys, std::string& problem);

std::optional<feed::KeyPair> feed_keys_of(const KeyTexts& keys);  // of kFeed
// What others have to be told: the public key, or the next one; "" where there is none.
std::string public_key_of(const KeyTexts& keys);
std::string next_public_key_of(const KeyTexts& keys);

}  // namespace kg::routing
