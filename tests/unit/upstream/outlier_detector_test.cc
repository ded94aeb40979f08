#include "proxy/upstream/outlier_detector.h"

#include <gtest/gtest.h>

#include "proxy/base/limits.h"

namespace kg::upstream::outlier_detector_test {

constexpr uint64_t kStart = 1'000'000'000;
constexpr uint64_t kBackoffUs = limits::kOutlierBackoffMs * 1'000ULL;

// True when the last of so many failures began suspicion.
bool fail(OutlierDetector& detector, uint32_t times, uint64_t now_us) {
  bool began = false;
  for (uint32_t i = 0; i < times; ++i) began = detector.on_failure(now_us);
  return began;
}

TEST(OutlierDetector, SuspectsAfterFailuresInARow) {
  OutlierDetector detector;
  EXPECT_FALSE(fail(detector, limits::kOutlierFailures - 1, kStart));
  EXPECT_FALSE(detector.on_success()) << "nothing to leave";
  EXPECT_FALSE(fail(detector, limits::kOutlierFailures - 1, kStart)) << "the row begins anew";
  EXPECT_FALSE(detector.suspects());
  EXPECT_TRUE(detector.on_failure(kStart));
  EXPECT_TRUE(detector.suspects());
  EXPECT_TRUE(detector.backs_off(kStart + kBackoffUs - 1));
  EXPECT_FALSE(detector.backs_off(kStart + kBackoffUs));
}

TEST(OutlierDetector, ASuccessEndsSuspicionAtOnce) {
  OutlierDetector detector;
  fail(detector, limits::kOutlierFailures, kStart);
  EXPECT_TRUE(detector.on_success());
  EXPECT_FALSE(detector.suspects());
  EXPECT_FALSE(detector.backs_off(kStart));
  EXPECT_FALSE(detector.on_success());
}

TEST(OutlierDetector, FailuresWhileSuspectChangeNothing) {
  OutlierDetector detector;
  fail(detector, limits::kOutlierFailures, kStart);
  EXPECT_FALSE(fail(detector, 100, kStart + kBackoffUs - 1));
  EXPECT_FALSE(detector.backs_off(kStart + kBackoffUs));
}

TEST(OutlierDetector, AFailureInProbationDoublesTheBackoffUpToItsMost) {
  OutlierDetector detector;
  fail(detector, limits::kOutlierFailures, kStart);
  uint64_t now = kStart;
  uint64_t backoff = kBackoffUs;
  for (int i = 0; i < 10; ++i) {
    now += backoff;
    EXPECT_FALSE(detector.backs_off(now));
    EXPECT_FALSE(detector.on_failure(now)) << "it is suspected already";
    backoff = std::min<uint64_t>(backoff * 2, limits::kOutlierBackoffMsMax * 1'000ULL);
    EXPECT_TRUE(detector.backs_off(now + backoff - 1)) << i;
    EXPECT_FALSE(detector.backs_off(now + backoff)) << i;
  }
  detector.on_success();
  fail(detector, limits::kOutlierFailures, now);
  EXPECT_FALSE(detector.backs_off(now + kBackoffUs)) << "the back-off begins anew too";
}

}  // namespace kg::upstream::outlier_detector_test
