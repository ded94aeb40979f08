// Messages: what proxies and controllers say to each other, and how it is written and read.
//
// README.md says who says what when. Reading is strict: each field once, all that are needed,
// nothing unknown that its sender calls needed, everything within limits.h. Values; pure; any
// thread. Errors: a word why a message cannot be used, for counters and logs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "routing/feed/item.h"
#include "routing/feed/state_digest.h"

namespace kg::feed {

// Of payloads. A proxy reads this one and the one before it; controllers are rolled first or last.
inline constexpr uint64_t kSchema = 1;

// ---- proxy to controller ----
struct Hello {
  uint64_t protocol_low = 0;
  uint64_t protocol_high = 0;
  uint64_t schema_low = 0;
  uint64_t schema_high = 0;
  std::string name;  // for logs and metrics of the controller
};
// Send me what is newer than this, from now on.
struct Sync {
  uint64_t round = 0;
  Version held;
  Digest digest{};     // of what is held; of nothing too
  bool whole = false;  // whatever is held
};
struct Ack {
  uint64_t round = 0;
  Version to;
  uint64_t part = 0;
  std::optional<Digest> digest;  // of the state behind the last part
};
// An update that was whole and was not taken.
struct Refuse {
  uint64_t round = 0;
  Version to;
  std::string reason;
};
// Send me no more updates: another controller does.
struct Rest {};
struct AliveProxy {
  Version held;
  uint64_t facts_seen = 0;  // on this connection, since the Hello
};

// ---- controller to proxy ----
struct Welcome {
  uint64_t protocol = 0;
  uint64_t schema = 0;
  Version version;    // 0.0: nothing yet
  std::string scope;  // of the proxy's key, as Scope::text()
};
struct Deny {
  std::string reason;
};
// Who are you? Say Hello.
struct Again {};
// What comes now answers this Sync.
struct Begin {
  uint64_t round = 0;
};
// One part of an update; the last one has the digest of the state behind it.
struct Update {
  uint64_t schema = 0;
  std::optional<Version> from;  // none: the whole state
  Version to;
  uint64_t part = 0;
  std::optional<Digest> digest;
  std::vector<Item> upserts;
  std::vector<std::string> deletes;
};
struct AliveController {
  Version version;
};

// ---- both ways ----
// Something small that every replica should know: what it means is an affair of the ends. Its
// scope says who may say it and who hears it, as that of an item (Scope).
struct Fact {
  std::string id;  // kFactIdBytes, random: it comes through each controller
  std::string scope_namespace;
  std::string endpoint;
  std::string bytes;
};

using Message = std::variant<Hello, Sync, Ack, Refuse, Rest, AliveProxy, Welcome, Deny, Again,
                             Begin, Update, AliveController, Fact>;

std::string encode(const Message& message);
// nullopt, and a word why: "form", "protocol", "checksum", "type", "fields".
std::optional<Message> parse(std::string_view bytes, const char*& problem);

// An update that is not cut by its author but here: content of any size, part by part.
struct Change {
  std::shared_ptr<const Item> item;
  std::string gone;  // the key, where there is no item
  const std::string& key() const noexcept { return item != nullptr ? item->key : gone; }
};
struct Content {
  uint64_t schema = kSchema;
  std::optional<Version> from;
  Version to;
  Digest digest{};
  std::vector<Change> changes;
};
// The part that begins with change `next`, which becomes the one behind it.
std::string encode_part(const Content& content, uint64_t part, size_t& next);

// What a proxy may call itself: 1 to kNameBytesMax visible characters of ASCII.
bool is_name(std::string_view text) noexcept;
// What others said, for logs: whatever is not printable ASCII becomes a question mark.
std::string printable(std::string_view text);
// Within limits.h, and with a payload?
bool is_item(const Item& item) noexcept;
size_t bytes_of(const Item& item) noexcept;

}  // namespace kg::feed
