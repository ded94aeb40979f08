// RevocationOutbox: what operators revoked here, or took back, on its way to the other replicas:
// told to controllers, and told again until the lists that they announce show it. So it arrives
// though no controller was there at first, or the one that heard it died.
//
// Owner:  SessionControl. Thread: control. Limits: limits::kRevocationsMax; a letter ends with its
//         entry, one that takes back after kTakeBackUs. Told again after kRetellUs, doubled up to
//         kRetellUsMax.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "auth/revocations.h"
#include "routing/revocation_notice.h"

namespace kg::server {

inline constexpr uint64_t kRetellUs = 5'000'000;  // a list is announced within a second
inline constexpr uint64_t kRetellUsMax = 60'000'000;
// Whoever revokes the same again later must not hear of it.
inline constexpr uint64_t kTakeBackUs = 30'000'000;

// How far something was told.
struct Told {
  enum class How : uint8_t { kNobody, kScope, kAll };
  How how = How::kNobody;
  std::vector<std::string> scopes;  // of kScope: where it counts (auth::Revocation::scope)
};

// How other replicas are reached.
class Replicas {
 public:
  // The scopes for which this proxy's key speaks, within `scope` ("": all that it sees). Empty:
  // none of it, or no controller is there to say so.
  virtual std::vector<std::string> scopes_for(const std::string& scope) const = 0;
  // False if this proxy's key is known not to speak for that scope.
  virtual bool may_say(const std::string& scope) const = 0;
  virtual bool tell(const routing::RevocationNotice& notice) = 0;  // false: nobody hears it

 protected:
  ~Replicas() = default;
};

class RevocationOutbox {
 public:
  // `revocation` as it was asked for; `scopes` where it counts, empty: wherever this key speaks
  // for.
  Told put(Replicas& replicas, bool revoked, const auth::Revocation& revocation,
           std::vector<std::string> scopes, uint64_t now_us);
  // All lists as they are announced in this term. What had been shown in it and is so no longer was
  // taken back by another replica: those are returned. Another term's may come from a Secret that
  // was restored, and lists that this proxy's key sees no longer say nothing: then it is told
  // again, where the key speaks now.
  std::vector<auth::Revocation> on_announced(const Replicas& replicas,
                                             const std::vector<auth::Revocation>& lists,
                                             uint64_t term);
  void retell(Replicas& replicas, uint64_t now_us, int64_t now);

 private:
  struct Letter {
    bool revoked = true;
    auth::Revocation revocation;  // marked; its scope as asked for
    std::vector<std::string> scopes;
    bool shown = false;
    uint64_t term = 0;  // in which it was shown
    uint64_t again_us = 0;
    uint64_t pause_us = kRetellUs;
    uint64_t put_us = 0;
  };
  static bool send(Replicas& replicas, Letter& letter, uint64_t now_us);

  std::list<Letter> letters_;
};

}  // namespace kg::server
