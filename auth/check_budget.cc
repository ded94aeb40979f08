#include "auth/check_budget.h"

#include <algorithm>
#include <ctime>

namespace kg::auth {
namespace {

// A microsecond of checking needs so many of waiting.
constexpr uint64_t kFillFactor = 1'000'000 / kCheckUsPerSecond;
constexpr uint64_t kEmptyUs = kCheckUsBurst * kFillFactor;  // from empty to full

}  // namespace

uint64_t thread_cpu_us() noexcept {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<uint64_t>(used.tv_sec) * 1'000'000 +
         static_cast<uint64_t>(used.tv_nsec) / 1'000;
}

CheckBudget::Bucket& CheckBudget::bucket_of(std::string_view client) noexcept {
  static_assert(kCheckBuckets == 256, "one byte of the hash chooses");
  return buckets_[hash_(client, {})[0]];
}

bool CheckBudget::allows(std::string_view client, uint64_t now_us) noexcept {
  return bucket_of(client).full_at_us < now_us + kEmptyUs;
}

void CheckBudget::spend(std::string_view client, uint64_t now_us, uint64_t cost_us) noexcept {
  Bucket& bucket = bucket_of(client);
  bucket.full_at_us = std::max(bucket.full_at_us, now_us) + cost_us * kFillFactor;
}

void CheckBudget::refund(std::string_view client, uint64_t cost_us) noexcept {
  Bucket& bucket = bucket_of(client);
  bucket.full_at_us -= std::min(bucket.full_at_us, cost_us * kFillFactor);
}

}  // namespace kg::auth
