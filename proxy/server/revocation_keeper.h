// RevocationKeeper: what is revoked now, by `revocations_file`, by calls of the admin interface
// here or at another replica, and by the feed; kept fresh while the file changes on disk.
//
// Owner:  the Server. Thread: control. Blocks on the file.
// Limits: limits::kRevocationsMax entries of each source; of other replicas' calls
//         auth::kRevocationsPerNamespaceMax that count in one namespace only. A call's entry
//         without `until` ends when every token that it may concern has (kRevocationSeconds).
//         Calls' entries end with the process; the file's stay.
// Errors: a file that became unusable keeps its last good entries, is logged and counted, and is
//         not looked at again before it changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "auth/revocations.h"
#include "config/config.h"
#include "metrics/exporter.h"
#include "proxy/server/file_watch.h"

namespace kg::server {

class RevocationKeeper {
 public:
  using Set = std::shared_ptr<const auth::Revocations>;

  // What the file of a configuration holds; `problem` is "" if it is usable. No file: nothing.
  static std::vector<auth::Revocation> read(const std::string& file, std::string& problem);

  // A configuration was applied, and this was read for it.
  void adopt(const std::string& file, std::vector<auth::Revocation> entries);
  // Every kFileLookMs. True when the file brought something new.
  bool look();
  // A call here. False: no room. `until` is filled in.
  bool add(auth::Revocation& revocation, int64_t now);
  // A call at another replica, by its mark, until the feed announces it.
  enum class Heard : uint8_t { kNew, kKnown, kNoRoom };
  Heard hear(const auth::Revocation& revocation, int64_t now);
  bool forget_heard(const auth::Revocation& revocation);  // taken back there; false: none was

  // What calls here and elsewhere revoked by that name; with a scope, in that one only.
  struct Found {
    size_t calls = 0;                 // here
    std::vector<std::string> scopes;  // of others' calls, and of the feed
  };
  Found find(const auth::Revocation& asked) const;
  // Of these, calls here and what counts in `scopes`; how many entries.
  size_t remove(const auth::Revocation& asked, const std::vector<std::string>& scopes);
  // Another replica took back what was revoked here.
  bool remove_call(const auth::Revocation& revocation);

  // Of the feed, instead of what it said before. False: the same.
  bool set_announced(std::vector<auth::Revocation> entries);
  const std::vector<auth::Revocation>& announced() const noexcept { return of_feed_; }

  Set make(int64_t now);                // of all that counts now
  std::string json(int64_t now) const;  // an array, each with its source
  void add_facts(metrics::ProcessFacts& facts) const;

 private:
  void forget_ended(int64_t now);

  std::string file_;
  FileWatch watch_{{}};
  std::vector<auth::Revocation> of_file_;
  std::vector<auth::Revocation> of_calls_;
  std::vector<auth::Revocation> of_replicas_;
  std::vector<auth::Revocation> of_feed_;
  metrics::Reloads reloads_;
};

}  // namespace kg::server
