#include "routing/controller/issuer/counts.h"

#include <gmock/gmock.h>

#include "routing/controller/issuer/audit.h"

namespace kg::issuer::counts_test {

using testing::HasSubstr;

TEST(Counts, AreOfferedToPrometheus) {
  Counts counts;
  ++counts.calls[static_cast<size_t>(outcome_of(403))];
  counts.reviews = 2;
  const std::string text = metrics_text(counts, 3);
  EXPECT_THAT(text, HasSubstr("kernelgate_credentials_calls_total{outcome=\"forbidden\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_credentials_calls_total{outcome=\"issued\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE kernelgate_credentials_reviews_total counter\n"
                              "kernelgate_credentials_reviews_total 2\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_credentials_connections_open 3\n"));
}

TEST(Audit, IsOneLineWhateverCallersAreCalled) {
  Decision decision;
  decision.wall_us = 1'800'000'000'000'000;
  decision.outcome = outcome_name(Outcome::kForbidden);
  decision.status = 403;
  decision.target = {"a", "b"};
  decision.caller = "x\n\"y\xff";
  EXPECT_EQ(audit_line(decision),
            "{\"time\":\"2027-01-15T08:00:00Z\",\"event\":\"credentials\",\"outcome\":"
            "\"forbidden\",\"status\":403,\"caller\":\"x\\n\\\"y\xef\xbf\xbd\","
            "\"virtual_cluster\":\"a\",\"endpoint\":\"b\"}\n");
}

}  // namespace kg::issuer::counts_test
