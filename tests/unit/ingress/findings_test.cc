// What an object hears where more is wrong with it than anybody reads.
#include "routing/controller/ingress/findings.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "cluster.h"
#include "routing/controller/ingress/limits.h"

namespace kg::ingress::findings_test {

TEST(Findings, UnknownAnnotationsCrowdOutNoError) {
  Cluster cluster;
  Annotations many;
  for (int i = 0; i < 100; ++i) many["kernelgate.io/aa" + std::to_string(100 + i)] = "";
  many["kernelgate.io/quota-kernels"] = "lots";
  cluster.put(ingress("analytics", "jeg", {{"a.test", "/"}}, sessions(std::move(many))));
  const std::vector<std::string> reasons = cluster.reasons("analytics", "jeg");
  EXPECT_THAT(reasons, testing::Contains("InvalidAnnotation"));
  EXPECT_EQ(reasons.size(), kFindingsMax + 1);
}

TEST(Findings, BeyondTheirMaximumTheWorstStay) {
  Findings findings;
  for (size_t i = 0; i < kFindingsMax; ++i) findings.warn("Warned", std::to_string(i));
  findings.note("Noted", "");
  findings.error("First", "");
  findings.error("Second", "");
  const auto count = [&](Severity severity) {
    return std::ranges::count(findings.all(), severity, &Finding::severity);
  };
  EXPECT_EQ(findings.all().size(), kFindingsMax + 1);
  EXPECT_EQ(count(Severity::kError), 2);
  EXPECT_EQ(count(Severity::kNote), 0);
  EXPECT_EQ(findings.all().front().message, "0") << "those that were first";
  EXPECT_EQ(findings.all().back().reason, "TooManyFindings");
  for (size_t i = 0; i < 2 * kFindingsMax; ++i) findings.error("More", std::to_string(i));
  EXPECT_EQ(count(Severity::kError), static_cast<ptrdiff_t>(kFindingsMax));
}

}  // namespace kg::ingress::findings_test
