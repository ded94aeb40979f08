// Revocations: which sessions count no more although they have not expired: one token, all tokens
// of a login, a user, or everybody at an endpoint; everywhere, or at some endpoints only.
//
// Names are compared by their marks, so that an entry can be told to those who must not read it.
// Immutable; any thread. Entries come from a watched file, from the admin interface and from the
// feed.
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
#include "proxy/base/crypto.h"

namespace kg::auth {

// Of those that count in one namespace only: whoever may say so there fills no more than this.
inline constexpr size_t kRevocationsPerNamespaceMax = 256;

enum class RevocationKind : uint8_t { kToken, kSession, kSubject, kEndpoint };
std::string_view kind_name(RevocationKind kind) noexcept;  // "token_id"

// What stands for a name: SHA-256 of kind, realm (of a subject) and name, with a line end after
// each but the last. Who does not know the name cannot find it, unless it can be guessed.
using Mark = crypto::Sha256;
Mark mark_of(RevocationKind kind, std::string_view realm, std::string_view name);

// Where a session is used.
struct Place {
  std::string_view virtual_cluster;
  std::string_view endpoint;
};

// All that a session can be revoked by. A mark of zeros: it has no such name.
struct SessionMarks {
  Mark token{};
  Mark session{};
  Mark subject{};
  Mark endpoint{};  // where it is used
  int64_t issued_at = 0;
};
SessionMarks marks_of(const Principal& principal, std::string_view endpoint);

struct Revocation {
  RevocationKind kind = RevocationKind::kToken;
  std::string realm;   // of a subject: equal subjects of two realms are two people
  std::string name;    // token id (jti), session id (sid), subject or endpoint; "": not known
  Mark mark{};         // of them
  std::string scope;   // where it counts: "" everywhere, "CLUSTER" or "CLUSTER/ENDPOINT"
  int64_t before = 0;  // seconds since the epoch: only what was issued earlier; 0: everything
  int64_t until = 0;   // the entry itself ends then; 0: never

  // One JSON object: `token_id`, `session`, `subject` with `realm`, or `endpoint`, or the mark of
  // one, as `token_id_sha256` and so on; optional `scope`, `before`, `until` and `note`, which is
  // for people. Anything else in it is a fault.
  struct Parsed;
  static Parsed parse(std::string_view json);
  // The same, without `note`.
  std::string json() const;
  Revocation marked() const;  // the same, by its mark alone
  bool counts_at(const Place& place) const noexcept;
  bool operator==(const Revocation&) const = default;
  bool same_target(const Revocation& other) const noexcept {
    return mark == other.mark && scope == other.scope;
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
  // Is the session of these marks revoked at that place? One whose time of issue is not known
  // counts as issued before any moment. Allocates nothing.
  bool revokes(const SessionMarks& marks, const Place& place, int64_t now) const noexcept;

 private:
  struct MarkHash {
    size_t operator()(const Mark& mark) const noexcept;
  };
  bool holds(const Mark& mark, int64_t issued_at, const Place& place, int64_t now) const noexcept;

  std::vector<Revocation> entries_;
  std::unordered_multimap<Mark, const Revocation*, MarkHash> targets_;
};

}  // namespace kg::auth
