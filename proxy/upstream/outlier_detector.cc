#include "proxy/upstream/outlier_detector.h"

#include <algorithm>

#include "proxy/base/limits.h"

namespace kg::upstream {
namespace {
constexpr uint64_t kBackoffUs = limits::kOutlierBackoffMs * 1'000ULL;
constexpr uint64_t kBackoffUsMax = limits::kOutlierBackoffMsMax * 1'000ULL;
}  // namespace

bool OutlierDetector::on_success() noexcept {
  failures_ = 0;
  until_us_ = 0;
  const bool suspected = suspects();
  backoff_us_ = 0;
  return suspected;
}

bool OutlierDetector::on_failure(uint64_t now_us) noexcept {
  ++failures_;
  if (failures_ < limits::kOutlierFailures || backs_off(now_us)) return false;
  const bool first = !suspects();
  backoff_us_ = first ? kBackoffUs : std::min(backoff_us_ * 2, kBackoffUsMax);
  until_us_ = now_us + backoff_us_;
  return first;
}

}  // namespace kg::upstream
