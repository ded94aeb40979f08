// CheckBudget: how much of a worker's time strangers may cost it with credentials that prove
// nothing.
//
// Each client has a bucket of microseconds of CPU. Checks that end in a refusal are taken out of it
// as long as they took, whatever algorithm the credential named; what proves somebody costs
// nothing. An empty bucket means that credentials which the worker does not know are not looked at
// any more, until it fills again: kCheckUsPerSecond each second, at most kCheckUsBurst.
//
// A question to a service is taken out ahead of its answer, so that nobody has many of them open,
// and given back unless the answer is a refusal.
//
// Clients share kCheckBuckets buckets by a keyed hash of their address, so memory is bounded, and
// so is the sum: whatever the number of addresses, bad credentials take at most a fifth of a worker
// (256 buckets of 0.8 ms a second). Sessions that the worker knows are never asked for here, so a
// flood locks nobody out who is in; a newcomer whose address shares the flood's bucket has to come
// again. Owner: a worker's SessionDesk; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "proxy/base/crypto.h"

namespace kg::auth {

inline constexpr size_t kCheckBuckets = 256;
inline constexpr uint32_t kCheckUsPerSecond = 800;  // about 8 checks of ES256
inline constexpr uint32_t kCheckUsBurst = 20'000;   // about 200: a whole team's expired tokens
inline constexpr uint32_t kAskCostUs = 250;         // a service that has to be asked: 80 of them

// This thread's CPU time: what a check costs, however busy the machine is. A system call of 0.3 us,
// only ever beside a check.
uint64_t thread_cpu_us() noexcept;

class CheckBudget {
 public:
  // `client`: its address, as bytes. `now_us`: monotonic. May its credential be looked at?
  bool allows(std::string_view client, uint64_t now_us) noexcept;
  // Looking at it took so long, and it proved nothing.
  void spend(std::string_view client, uint64_t now_us, uint64_t cost_us) noexcept;
  // What was spent ahead of an answer, and the answer was good.
  void refund(std::string_view client, uint64_t cost_us) noexcept;

 private:
  struct Bucket {
    uint64_t full_at_us = 0;  // when nothing will be missing any more
  };
  Bucket& bucket_of(std::string_view client) noexcept;

  crypto::KeyedHash hash_;
  std::array<Bucket, kCheckBuckets> buckets_{};
};

}  // namespace kg::auth
