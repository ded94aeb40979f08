// Revocations: which sessions count no more although they have not expired: one token, all tokens
// of a login, a user, or everybody at an endpoint.
//
// Immutable; any thread. Entries come from a watched file and from the admin interface.
// Limits: kRevocationsMax entries; names as long as in a token (256 bytes).
// Errors: a text with anything wrong gives no set at all, and a sentence with the line.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/principal.h"

namespace kg::auth {

enum class RevocationKind : uint8_t { kToken, kSession, kSubject, kEndpoint };
std::string_view kind_name(RevocationKind kind) noexcept;  // "token_id"

struct Revocation {
  RevocationKind kind = RevocationKind::kToken;
  std::string realm;   // of a subject: equal subjects of two realms are two people
  std::string name;    // token id (jti), session id (sid), subject or endpoint
  int64_t before = 0;  // seconds since the epoch: only what was issued earlier; 0: everything
  int64_t until = 0;   // the entry itself ends then; 0: never

  // One JSON object: `token_id`, `session`, `subject` with `realm`, or `endpoint`; optional
  // `before`, `until` and `note`, which is for people. Anything else in it is a fault.
  struct Parsed;
  static Parsed parse(std::string_view json);
  // The same, without `note`.
  std::string json() const;
  bool operator==(const Revocation&) const = default;
  bool same_target(const Revocation& other) const noexcept {
    return kind == other.kind && realm == other.realm && name == other.name;
  }
};

struct Revocation::Parsed {
  std::optional<Revocation> revocation;
  const char* fault = "";  // "is not JSON", ...
};

class Revocations {
 public:
  // A file: one object a line; empty lines and lines that begin with # do not count.
  struct Lines {
    std::vector<Revocation> entries;
    std::string error;  // "line 3 is not JSON"; then there are no entries
  };
  static Lines read_lines(std::string_view text);

  Revocations() = default;
  Revocations(Revocations&&) = default;
  Revocations& operator=(Revocations&&) = default;
  Revocations(const Revocations&) = delete;  // targets_ points into entries_
  Revocations& operator=(const Revocations&) = delete;
  ~Revocations() = default;
  // What has ended by `now` is left out. Of two entries for one target both count.
  Revocations(const std::vector<Revocation>& entries, int64_t now);

  bool empty() const noexcept { return targets_.empty(); }
  // Is that principal's session at that endpoint revoked? A principal whose time of issue is not
  // known counts as issued before any moment. Allocates nothing.
  bool revokes(const Principal& principal, std::string_view endpoint, int64_t now) const noexcept;

 private:
  struct Target {
    RevocationKind kind;
    std::string_view realm;
    std::string_view name;
    bool operator==(const Target&) const = default;
  };
  struct TargetHash {
    size_t operator()(const Target& target) const noexcept;
  };
  bool holds(const Target& target, const Principal& principal, int64_t now) const noexcept;

  std::vector<Revocation> entries_;  // what the targets' texts stand in
  std::unordered_multimap<Target, const Revocation*, TargetHash> targets_;
};

}  // namespace kg::auth
